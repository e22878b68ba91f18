package fhir

import "testing"

// FuzzValidate holds that whatever Parse accepts can be validated, against every
// profile of its type, within the bound of findings.
func FuzzValidate(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	f.Add([]byte(bundleOf(posted("000000000001", submissionSet, "POST"), posted("000000000002", docRef(), "POST"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		var profiles []string
		for i := range profileTable {
			if profileTable[i].typ == r.Type() {
				profiles = append(profiles, profileTable[i].url)
			}
		}
		issues := Validate(r, profiles...)
		if len(issues) > maxFindings {
			t.Fatalf("%d findings", len(issues))
		}
		for _, i := range issues {
			if i.Rule == "" || i.Expression == "" || i.Text.FR == "" || i.Text.EN == "" {
				t.Fatalf("%+v", i)
			}
		}
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"opendmp/auth"
	"opendmp/policy"
	"opendmp/sandbox"
)

// Bad input over HTTP: refused or normalised as DOMAIN §3.1 and §5.1 write it.
func TestBadInput(t *testing.T) {
	s := besiege(t)
	for _, c := range []struct {
		name string
		try  func(*siege, *testing.T)
	}{
		{"professions", badProfessions}, {"purposes", badPurposes}, {"reasons", badReasons}, {"labels", badLabels}, {"aliases", aliasesOfCodes},
	} {
		t.Run(c.name, func(t *testing.T) { c.try(s.in(t), t) })
	}
	t.Run("students", func(t *testing.T) {
		studentsOutside(besiege(t, func(s *policy.Settings) { s.Students = false }), t)
	})
}

// changed is a persona with other claims.
func (s *siege) changed(persona string, change func(*auth.Claims)) *person {
	s.t.Helper()
	p, ok := sandbox.Lookup(persona)
	if !ok {
		s.t.Fatal(persona)
	}
	c := p.Claims("", "")
	change(&c)
	return s.bearer(c)
}

// practising gives claims a profession.
func practising(system, code string) func(*auth.Claims) {
	return func(c *auth.Claims) {
		c.DMP.Profession = &auth.Coding{System: system, Code: code}
		c.DMP.Roles, c.Extensions.IUA.Role = nil, nil
	}
}

func badProfessions(s *siege, t *testing.T) {
	search := "DocumentReference?_summary=count&patient=" + s.patient("patient-alix")
	for _, code := range []string{"99", "35", "36", "37", "38", "39", "93", "", "010", "10 ", "SM26"} {
		s.changed("medecin-durand", practising(auth.SystemProfession, code)).get(search).is(401)
	}
	s.changed("medecin-durand", practising("urn:oid:1.2.250.1.71.1.2.7", "10")).get(search).is(401)
	s.changed("medecin-durand", func(c *auth.Claims) {
		c.Extensions.IUA.Role = append(c.Extensions.IUA.Role, auth.Coding{System: auth.SystemProfession, Code: "60"})
	}).get(search).is(401)
	s.changed("medecin-durand", func(c *auth.Claims) {
		c.Extensions.IUA.OrganizationID = append(c.Extensions.IUA.OrganizationID, "urn:oid:1.2.250.1.71.4.2.2|1750000002")
	}).get(search).is(401)
	// A title that no column of the matrix holds reads nothing but its own (L09, L16).
	title := s.changed("medecin-durand", practising(auth.SystemTitle, "zz"))
	title.get(s.doc("alix-biologie")).is(404)
	title.get(s.doc("alix-cr-consultation")).is(404)
	s.as("medecin-durand").get(search).is(200)
}

func studentsOutside(s *siege, t *testing.T) {
	alix := s.patient("patient-alix")
	s.consents("patient-alix", "patient-alix", "autorisation", "permit", identJSON("etudiant-simon"), s.signer.Now().Format("2006-01-02"))
	for name, p := range map[string]*person{
		"by the flag":       s.as("etudiant-simon"),
		"by the profession": s.changed("etudiant-simon", func(c *auth.Claims) { practising(auth.SystemProfessionTraining, "10")(c); c.DMP.Student = false }),
	} {
		if got := p.get("DocumentReference?patient=" + alix); got.status == 200 {
			got.has("total", "0")
		} else {
			s.deniedAs(t, name, got)
		}
		p.get(s.doc("alix-biologie")).is(404)
		s.deniedAs(t, name, p.breakGlass(alix, reasonOK))
	}
	in := besiege(t) // the sandbox's own settings
	in.consents("patient-alix", "patient-alix", "autorisation", "permit", identJSON("etudiant-simon"), s.signer.Now().Format("2006-01-02"))
	in.as("etudiant-simon").get(in.doc("alix-biologie")).is(200)
}

func badPurposes(s *siege, t *testing.T) {
	search := "DocumentReference?_summary=count&patient=" + s.patient("patient-alix")
	for name, purposes := range map[string][]auth.Coding{
		"none": nil, "empty": {{}}, "no code": {{System: auth.SystemActReason}}, "no system": {{Code: "TREAT"}}, "unknown": {{System: auth.SystemActReason, Code: "HMARKT"}},
		"of another kind": {{System: auth.SystemActReason, Code: "PATRQT"}}, "of a regulator": {{System: auth.SystemAccessMode, Code: "centre_15"}},
	} {
		got := s.changed("medecin-durand", func(c *auth.Claims) { c.Extensions.IUA.Purpose = purposes }).get(search)
		if got.status != 401 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

func badReasons(s *siege, t *testing.T) {
	alix, david := s.patient("patient-alix"), s.patient("patient-david")
	for name, reason := range map[string]string{
		"nothing": "", "blanks": strings.Repeat(" ", 20), "no-break spaces": strings.Repeat("\u00a0", 20), "zero width": strings.Repeat("\u200b", 20),
		"fillers that are letters": strings.Repeat("\u3164", 20), "points": strings.Repeat(".", 20), "short": "urgence", "short but for blanks": "urg      ence",
		"long": strings.Repeat("x", 501), "control": "Patient\u0007inconscient", "tabulator": "Patient\tinconscient", "turned": "Patient \u202etneicsnocni",
		"isolated": "Patient \u2066inconscient\u2069", "tags": "Patient inconscient\U000e0041", "line separator": "Patient\u0085inconscient",
	} {
		got := s.as("urgentiste-roche").breakGlass(alix, reason)
		if got.status != 422 && got.status != 400 {
			t.Errorf("%s: %d", name, got.status)
		}
		token := s.changed("urgentiste-roche", func(c *auth.Claims) {
			c.Extensions.IUA.Purpose = []auth.Coding{{System: auth.SystemActReason, Code: "BTG"}}
			c.DMP.Reason = reason
		}).get("DocumentReference?patient=" + alix)
		if token.status != 401 && token.status != 403 {
			t.Errorf("%s, by token: %d", name, token.status)
		}
		text, err := json.Marshal(reason)
		check(t, err)
		closing := s.as("patient-david").post("Patient/"+david+"/$fermer", operationBody(motiveParameter, `"name":"raison","valueString":`+string(text)))
		if closing.status != 422 && closing.status != 400 && name != "short but for blanks" { // ten letters are asked of an emergency only
			t.Errorf("%s, closing: %d", name, closing.status)
		}
	}
	s.deniedAs(t, "no grant was opened", s.as("urgentiste-roche").get("DocumentReference?patient="+alix))
	for _, circumstance := range []string{`{"code":"hors-etat-de-consentir"}`, `{"system":"urn:opendmp:circonstance-urgence","code":"autre"}`, `{"system":"urn:x","code":"hors-etat-de-consentir"}`} {
		s.as("urgentiste-roche").post("Patient/"+alix+"/$bris-de-glace", operationBody(`"name":"circonstance","valueCoding":`+circumstance, `"name":"motif","valueString":"`+reasonOK+`"`)).is(422)
	}
	s.as("urgentiste-roche").breakGlass(alix, "  "+reasonOK+"  ").is(200)
}

func badLabels(s *siege, t *testing.T) {
	count := "DocumentReference?_summary=count&patient=" + s.patient("patient-alix")
	before := s.as("medecin-martin").get(count).at("total")
	const a07 = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
	for _, coding := range []string{
		`{"system":"` + a07 + `","code":"MASQUE_PSOCIAL"}`, `{"system":"` + a07 + `","code":"masque_ps"}`, `{"code":"MASQUE_PS"}`, `{"system":"` + a07 + `"}`,
		`{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}`, `{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"U"}`,
		`{"system":"https://mos.esante.gouv.fr/NOS/JDV_J58-ConfidentialityCode-DMP/FHIR/JDV-J58-ConfidentialityCode-DMP","code":"MASQUE_PS"}`,
	} {
		for _, more := range []string{`"securityLabel":[{"coding":[` + coding + `]}],`, `"meta":{"security":[` + coding + `]},`} {
			body, _ := s.bundle(sending{author: "medecin-durand", patient: "patient-alix", more: more})
			s.as("medecin-durand").post("", body).is(422)
			alone := bytes.Replace(s.alone("medecin-durand", "patient-alix", "urn:oid:2.25.75000001"), []byte(`"status"`), []byte(more+`"status"`), 1)
			s.as("medecin-durand").post("DocumentReference", alone).is(422)
		}
		s.as("patient-alix").patch(s.doc("alix-biologie"), `[{"op":"add","path":"/securityLabel/-","value":{"coding":[`+coding+`]}}]`).is(422)
		body, _ := s.bundle(sending{author: "medecin-durand", patient: "patient-alix"})
		list := bytes.Replace(body, []byte(`"resourceType":"List",`), []byte(`"resourceType":"List","meta":{"security":[`+coding+`]},`), 1)
		s.as("medecin-durand").post("", list).is(422)
	}
	s.as("medecin-martin").get(count).is(200).has("total", before)
}

// aliasesOfCodes: each way to write a label, a purpose and an author is the same.
func aliasesOfCodes(s *siege, t *testing.T) {
	for n, system := range []string{
		"https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
		"https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument", "urn:oid:1.2.250.1.213.1.1.4.13",
	} {
		at := s.push(sending{author: "medecin-leroy", patient: "patient-alix", more: `"securityLabel":[{"coding":[{"system":"` + system + `","code":"MASQUE_PS"}]}],`})
		s.as("medecin-durand").get(at.doc).is(404)
		s.as("patient-alix").get("DocumentReference?_id="+idOf(at.doc)+"&security-label=MASQUE_PS").is(200).has("total", "1")
		s.as("patient-alix").get("DocumentReference?_id="+idOf(at.doc)+"&security-label=urn:oid:1.2.250.1.213.1.1.4.13|MASQUE_PS").is(200).has("total", "1")
		s.as("patient-alix").patch(at.doc, fmt.Sprintf(`[{"op":"replace","path":"/securityLabel/0","value":{"coding":[{"system":%q,"code":"N"}]}}]`, system)).is(200)
		s.as("medecin-durand").get(at.doc).is(200)

		mode := []string{auth.SystemAccessMode, "urn:oid:1.2.250.1.213.1.1.4.336", "urn:oid:1.2.250.1.213.1.1.4.248"}[n]
		got := s.changed("samu-garnier", func(c *auth.Claims) { c.Extensions.IUA.Purpose = []auth.Coding{{System: mode, Code: "centre_15"}} }).
			get("DocumentReference?_summary=count&patient=" + s.patient("patient-alix")).is(200)
		if told := got.header.Get("X-DMP-Mode-Acces"); told != "centre_15" {
			t.Errorf("%s: mode %q", mode, told)
		}
	}
	for _, short := range []string{"INVISIBLE_REP_LEGAUX", "INVISIBLE_REPRESENTANTS_LEGAUX"} {
		at := s.push(sending{author: "medecin-leroy", patient: "patient-emma", flag: short})
		s.as("representative-lambert").get(at.doc).is(404)
		s.as("patient-emma").get(at.doc).is(200)
	}
	// The same physician under three forms of the number, as caller and as author.
	for _, provider := range []string{"urn:oid:1.2.250.1.71.4.2.1|8899900000012", "urn:oid:1.2.250.1.71.4.2.1|899900000012", "https://rpps.esante.gouv.fr|99900000012"} {
		same := s.changed("medecin-leroy", func(c *auth.Claims) { c.Extensions.IUA.Provider = provider })
		same.get(s.doc("alix-masque")).is(200) // as its author
		system, value, _ := strings.Cut(provider, "|")
		s.as("patient-alix").get("DocumentReference?_summary=count&patient="+s.patient("patient-alix")+"&author.identifier="+system+"|"+value).is(200).
			has("total", s.as("patient-alix").get("DocumentReference?_summary=count&patient="+s.patient("patient-alix")+"&author.identifier=https://rpps.esante.gouv.fr|99900000012").at("total"))
	}
}

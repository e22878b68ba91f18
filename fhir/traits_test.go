package fhir

import (
	"errors"
	"testing"
)

func TestTraits(t *testing.T) {
	all := Traits{Family: "O’Connor", Given: "Jean-Pierre", BirthDate: "1985-04-12", Gender: "male"}
	for _, c := range []struct {
		query string
		want  Traits
		alone bool
	}{
		{"family=O%E2%80%99Connor&given=Jean-Pierre&birthdate=1985-04-12&gender=male", all, true},
		{"family=O%E2%80%99Connor&given=Jean-Pierre&birthdate=eq1985-04-12&gender=http://hl7.org/fhir/administrative-gender|male&_total=accurate&_count=20&_pretty=true", all, true},
		{`family=a\,b`, Traits{Family: "a,b"}, true},
		{"family=x&_lastUpdated=2026", Traits{Family: "x"}, false},
		{"family=x&identifier=urn:oid:1.2.3|1", Traits{Family: "x"}, false},
		{"family=x&_id=1", Traits{Family: "x"}, false},
		{"family=x&_sort=_lastUpdated", Traits{Family: "x"}, false},
		{"family=x&_summary=count", Traits{Family: "x"}, false},
		{"family=x&_page=y", Traits{Family: "x"}, false},
		{"identifier=urn:oid:1.2.3|1", Traits{}, false},
		{"", Traits{}, false},
	} {
		q, err := ParseQuery("Patient", c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if q.Traits != c.want || q.TraitsAlone() != c.alone {
			t.Errorf("%s: %+v, alone %v", c.query, q.Traits, q.TraitsAlone())
		}
		again, err := ParseQuery("Patient", q.String())
		if err != nil || again.Traits != c.want {
			t.Errorf("%s: read again as %s: %v, %v", c.query, q.String(), again, err)
		}
	}
	if n := all.Count(); n != 4 || (Traits{}).Count() != 0 || (Traits{Given: "x", Gender: "male"}).Count() != 2 {
		t.Error("count")
	}
}

func TestTraitsRefused(t *testing.T) {
	for _, query := range []string{
		"family=a,b", "family=a&family=b", "family:exact=a", "family:missing=true", "given:contains=a", "family=",
		"birthdate=1985", "birthdate=1985-04", "birthdate=1985-02-30", "birthdate=ge1985-04-12", "birthdate=1985-04-12T10:00",
		"birthdate=1985-04-12,1985-04-13", "birthdate=eq1985-04-12&birthdate=1985-04-12",
		"gender=M", "gender=urn:x|male", "gender=http://hl7.org/fhir/administrative-gender|", "gender=male,female", "gender:not=male",
	} {
		_, err := ParseQuery("Patient", query)
		var bad *Invalid
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := ParseQuery("DocumentReference", "family=a"); err == nil {
		t.Error("a document has no traits")
	}
}

// A query of traits holds no dossier: what matching compares is not asked.
func TestTraitsAreNotMatched(t *testing.T) {
	q := query(t, "Patient", "family=martin&given=alix&birthdate=1985-04-12&gender=female")
	if !q.Match(searchValues(t, `{"resourceType":"Patient","id":"x"}`)) {
		t.Error("Match looked at the traits")
	}
}

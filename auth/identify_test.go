package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
)

const (
	idRPPS      = "urn:oid:1.2.250.1.71.4.2.1|899700218896"
	idStaff     = "urn:oid:1.2.250.1.71.4.2.1|3750000001/SEC1"
	idStructure = "urn:oid:1.2.250.1.71.4.2.2|1750000001"
	idINS       = "urn:oid:1.2.250.1.213.1.4.10|285047511200116"
	idAccount   = SystemAccount + "|lambert"
)

// callerDraft is a good token of a caller of that kind.
func callerDraft(k Kind) draft {
	d := physicianDraft()
	iua, dmp := object{"subject_name": "X"}, object{"kind": k.String()}
	d.payload["extensions"] = object{"ihe_iua": iua}
	d.payload["opendmp"] = dmp
	d.purpose(SystemAccessMode, "normal")
	switch k {
	case Patient:
		iua["person_id"] = idINS
	case Representative:
		iua["person_id"] = idAccount
	case Operator:
		iua["person_id"] = idAccount
		d.purpose(SystemActReason, "HSYSADMIN")
	case Professional, Regulator:
		iua["national_provider_identifier"] = idRPPS
		dmp["profession"] = object{"system": SystemProfession, "code": "10"}
	case Administrative:
		iua["national_provider_identifier"] = idStaff
	}
	if setOf(Regulator, Administrative, Establishment, InsuranceFeeder).has(k) {
		iua["subject_organization_id"] = []any{idStructure}
	}
	return d
}

func TestKinds(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for k, id := range map[Kind]string{
		Patient:         idINS,
		Representative:  idAccount,
		Professional:    "https://rpps.esante.gouv.fr|99700218896",
		Regulator:       "https://rpps.esante.gouv.fr|99700218896",
		Establishment:   idStructure,
		Administrative:  idStaff,
		InsuranceFeeder: idStructure,
		Operator:        idAccount,
	} {
		p, err := v.Verify(context.Background(), callerDraft(k).sign(t, key))
		if err != nil {
			t.Errorf("%v: %v", k, err)
			continue
		}
		if p.Kind() != k || FormatIdent(p.ID()) != id || p.Mode() != Normal {
			t.Errorf("%v: got %v %s %v, want %s", k, p.Kind(), FormatIdent(p.ID()), p.Mode(), id)
		}
	}
}

// What belongs to one kind of caller is refused on every other.
func TestKindsRefuseWhatIsNotTheirs(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for _, c := range []struct {
		name string
		bend func(draft)
		ok   kinds
	}{
		{"no person", func(d draft) { delete(d.iua(), "person_id") }, setOf(Professional, Regulator, Establishment, Administrative, InsuranceFeeder)},
		{"no national identifier", func(d draft) { delete(d.iua(), "national_provider_identifier") }, setOf(Patient, Representative, Establishment, InsuranceFeeder, Operator)},
		{"INS", func(d draft) { d.iua()["person_id"] = idINS }, setOf(Patient, Representative)},
		{"account", func(d draft) { d.iua()["person_id"] = idAccount }, setOf(Representative, Operator)},
		{"RPPS", func(d draft) { d.iua()["national_provider_identifier"] = idRPPS }, setOf(Professional, Regulator, Administrative)},
		{"identifier of a structure's staff", func(d draft) { d.iua()["national_provider_identifier"] = idStaff }, setOf(Administrative)},
		{"structure", func(d draft) { d.iua()["subject_organization_id"] = []any{idStructure} }, setOf(Professional, Regulator, Establishment, Administrative, InsuranceFeeder)},
		{"no structure", func(d draft) { delete(d.iua(), "subject_organization_id") }, setOf(Patient, Representative, Professional, Operator)},
		{"profession", func(d draft) { d.dmp()["profession"] = object{"system": SystemProfession, "code": "10"} }, setOf(Professional, Regulator)},
		{"pharmacist", func(d draft) { d.dmp()["profession"] = object{"system": SystemProfession, "code": "21"} }, setOf(Professional)},
		{"no profession", func(d draft) { delete(d.dmp(), "profession") }, ^setOf(Professional, Regulator)},
		{"role", func(d draft) { d.dmp()["roles"] = []any{object{"system": SystemSkill, "code": "SM26"}} }, setOf(Professional, Regulator)},
		{"student", func(d draft) { d.dmp()["student"] = true }, setOf(Professional)},
		{"occupational", func(d draft) { d.dmp()["occupational"] = true }, setOf(Professional, Regulator)},
		{"secret session", func(d draft) { d.dmp()["confidentiality_code"] = codeSecret }, setOf(Patient, Professional, Establishment)},
		{"normal", func(d draft) { d.purpose(SystemAccessMode, "normal") }, ^setOf(Operator)},
		{"TREAT", func(d draft) { d.purpose(SystemActReason, "TREAT") }, setOf(Professional, Regulator, Establishment, Administrative)},
		{"COC", func(d draft) { d.purpose(SystemActReason, "COC") }, setOf(Professional, Regulator, Establishment)},
		{"BTG", func(d draft) { d.purpose(SystemActReason, "BTG") }, setOf(Professional)},
		{"bris_de_glace", func(d draft) { d.purpose(SystemAccessMode, "bris_de_glace") }, setOf(Professional)},
		{"ETREAT", func(d draft) { d.purpose(SystemActReason, "ETREAT") }, setOf(Regulator)},
		{"centre_15", func(d draft) { d.purpose(SystemAccessMode, "centre_15") }, setOf(Regulator)},
		{"centre_15 by its OID", func(d draft) { d.purpose(oidAccessModeOld, "centre_15") }, setOf(Regulator)},
		{"PATRQT", func(d draft) { d.purpose(SystemActReason, "PATRQT") }, setOf(Patient)},
		{"FAMRQT", func(d draft) { d.purpose(SystemActReason, "FAMRQT") }, setOf(Representative)},
		{"PATADMIN", func(d draft) { d.purpose(SystemActReason, "PATADMIN") }, setOf(Administrative, Establishment, InsuranceFeeder)},
		{"HPAYMT", func(d draft) { d.purpose(SystemActReason, "HPAYMT") }, setOf(InsuranceFeeder)},
		{"HSYSADMIN", func(d draft) { d.purpose(SystemActReason, "HSYSADMIN") }, setOf(Operator)},
		{"code of the other system", func(d draft) { d.purpose(SystemActReason, "normal") }, 0},
		{"unknown purpose", func(d draft) { d.purpose(SystemActReason, "HMARKT") }, 0},
		{"purpose without system", func(d draft) { d.purpose("", "TREAT") }, 0},
		{"no purpose", func(d draft) { delete(d.iua(), "purpose_of_use") }, 0},
		{"empty purpose", func(d draft) { d.iua()["purpose_of_use"] = []any{} }, 0},
		{"unknown kind", func(d draft) { d.dmp()["kind"] = "root" }, 0},
		{"zero kind", func(d draft) { d.dmp()["kind"] = "nobody" }, 0},
		{"no kind", func(d draft) { delete(d.dmp(), "kind") }, 0},
		{"no opendmp", func(d draft) { delete(d.payload, "opendmp") }, 0},
		{"no extensions", func(d draft) { delete(d.payload, "extensions") }, 0},
		{"unknown name in opendmp", func(d draft) { d.dmp()["restricted"] = true }, 0},
		{"two structures", func(d draft) { d.iua()["subject_organization_id"] = []any{idStructure, idStructure} }, 0},
		{"two structure names", func(d draft) { d.iua()["subject_organization"] = []any{"A", "B"} }, 0},
		{"structures without it", func(d draft) { d.dmp()["structures"] = []any{"urn:oid:1.2.250.1.71.4.2.2|1750000009"} }, 0},
		{"name with a line break", func(d draft) { d.iua()["subject_name"] = "A\nB" }, 0},
		{"name too long", func(d draft) { d.iua()["subject_name"] = strings.Repeat("é", 256) }, 0},
		{"reason in normal mode", func(d draft) { d.dmp()["reason"] = "Patient inconscient" }, 0},
	} {
		for k := Patient; k <= Operator; k++ {
			d := callerDraft(k)
			c.bend(d)
			_, err := v.Verify(context.Background(), d.sign(t, key))
			if (err == nil) != c.ok.has(k) {
				t.Errorf("%v, %s: %v", k, c.name, err)
			}
		}
	}
}

func TestProfessions(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for _, c := range []struct {
		profession  Coding
		ok, student bool
	}{
		{Coding{SystemProfession, "10"}, true, false},
		{Coding{SystemProfession, "98"}, true, false},
		{Coding{SystemProfession, "35"}, false, false}, // deprecated
		{Coding{SystemProfession, "39"}, false, false},
		{Coding{SystemProfession, "93"}, false, false},
		{Coding{SystemProfession, "99"}, false, false},
		{Coding{SystemProfession, ""}, false, false},
		{Coding{"", "10"}, false, false},
		{Coding{"urn:oid:1.2.250.1.71.1.2.7", "10"}, false, false},
		{Coding{SystemProfessionTraining, "10"}, true, true},
		{Coding{SystemProfessionTraining, "60"}, false, false},
		{Coding{SystemCareRole, "317"}, true, false},
		{Coding{SystemTitle, "71"}, true, false},
		{Coding{SystemSocial, "41"}, true, false},
		{Coding{SystemOtherProfession, "M1"}, true, false},
		{Coding{SystemOtherProfession, "a b"}, false, false},
		{Coding{SystemSkill, "SM26"}, false, false},
	} {
		d := callerDraft(Professional)
		d.dmp()["profession"] = object{"system": c.profession.System, "code": c.profession.Code}
		p, err := v.Verify(context.Background(), d.sign(t, key))
		if (err == nil) != c.ok || p.Student() != c.student {
			t.Errorf("%v: student %v, %v", c.profession, p.Student(), err)
		}
	}
}

func TestProfessionAgreesWithIUA(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	d := physicianDraft()
	d.dmp()["profession"] = object{"system": SystemProfession, "code": "21"}
	if _, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("a pharmacist whose subject_role is physician: %v", err)
	}
}

func TestNationalIdentifiers(t *testing.T) {
	for id, want := range map[string]string{
		"urn:oid:1.2.250.1.71.4.2.1|899700218896":   "https://rpps.esante.gouv.fr|99700218896",
		"https://rpps.esante.gouv.fr|99700218896":   "https://rpps.esante.gouv.fr|99700218896",
		"urn:oid:1.2.250.1.71.4.2.1|8899900000012":  "https://rpps.esante.gouv.fr|99900000012",
		"urn:oid:1.2.250.1.71.4.2.1|0751234567":     "https://adeli.esante.gouv.fr|751234567",
		"urn:oid:1.2.250.1.71.4.2.1|02A1234567":     "https://adeli.esante.gouv.fr|2A1234567",
		"urn:oid:1.2.250.1.71.4.2.1|3750000001/SEC": "",
		"urn:oid:1.2.250.1.71.4.2.1|8997002188":     "",
		"urn:oid:1.2.250.1.71.4.2.1|89970021889X":   "",
		"urn:oid:1.2.250.1.71.4.2.1|":               "",
		"|899700218896":                             "",
		"899700218896":                              "",
		"":                                          "",
		"urn:oid:1.2.250.1.71.4.2.2|1750000001":     "",
		"https://rpps.esante.gouv.fr|9970021889":    "",
		"https://rpps.esante.gouv.fr|997002188961":  "",
		"https://rpps.esante.gouv.fr|997 0218896":   "",
		"https://rpps.esante.gouv.fr|99700218896|x": "",
	} {
		got, ok := provider(id, false, false)
		if ok != (want != "") || ok && FormatIdent(got) != want {
			t.Errorf("provider(%q) = %v, %v; want %q", id, got, ok, want)
		}
	}
	for id, want := range map[string]bool{
		"3750000001/SEC1":                    true,
		"5750000001 00012/1":                 false,
		"57500000010001/12":                  true,
		"6997002188960/1":                    true,
		"2750000001/1":                       false,
		"375000000/1":                        false,
		"3750000001/":                        false,
		"/1":                                 false,
		"3750000001/a b":                     false,
		"3" + strings.Repeat("7", 15) + "/1": false,
	} {
		if _, ok := provider("urn:oid:1.2.250.1.71.4.2.1|"+id, true, false); ok != want {
			t.Errorf("staff %q: %v", id, ok)
		}
	}
}

func TestStructures(t *testing.T) {
	for value, want := range map[string]bool{
		"0751234567": true, "1750000001": true, "12A0000001": true, "2123456789": true,
		"312345678901234": true, "4997002188960": true, "499700218896000": true,
		"": false, "1": false, "175000000": false, "17500000011": false, "31234567890123": false,
		"5750000001": false, "1 75000001": false, "1a50000001": false, "899700218896": false,
	} {
		if _, ok := structure("urn:oid:1.2.250.1.71.4.2.2|" + value); ok != want {
			t.Errorf("structure %q: %v", value, ok)
		}
	}
	if _, ok := structure("urn:oid:1.2.250.1.71.4.2.1|1750000001"); ok {
		t.Error("a structure under the system of persons")
	}
}

func TestOccupational(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	d := callerDraft(Professional)
	d.dmp()["roles"] = []any{object{"system": SystemSkill, "code": "SM54"}, object{"system": SystemSkill, "code": "SM25"}}
	if p, err := v.Verify(context.Background(), d.sign(t, key)); err != nil || !p.Occupational() {
		t.Errorf("SM25: occupational %v, %v", p.Occupational(), err)
	}
	d = callerDraft(Professional)
	d.dmp()["occupational"] = true
	if p, err := v.Verify(context.Background(), d.sign(t, key)); err != nil || !p.Occupational() {
		t.Errorf("activity: occupational %v, %v", p.Occupational(), err)
	}
}

func TestBreakGlass(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for reason, ok := range map[string]bool{
		"":                        true, // the policy refuses
		"court":                   true, // idem
		"Patient inconscient":     true,
		"Patient\ninconscient":    false,
		strings.Repeat("é", 500):  true,
		strings.Repeat("é", 501):  false,
		"  Patient inconscient  ": true,
	} {
		d := callerDraft(Professional)
		d.iua()["purpose_of_use"] = []any{
			object{"system": SystemAccessMode, "code": "bris_de_glace"},
			object{"system": SystemActReason, "code": "BTG"},
		}
		d.dmp()["reason"] = reason
		p, err := v.Verify(context.Background(), d.sign(t, key))
		if (err == nil) != ok {
			t.Errorf("%q: %v", reason, err)
		}
		if ok && (p.Mode() != BrisDeGlace || p.Reason() != strings.TrimSpace(reason)) {
			t.Errorf("%q: mode %v, reason %q", reason, p.Mode(), p.Reason())
		}
	}
	d := callerDraft(Professional)
	d.iua()["purpose_of_use"] = []any{
		object{"system": SystemAccessMode, "code": "bris_de_glace"},
		object{"system": SystemActReason, "code": "TREAT"},
	}
	if _, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("two modes: %v", err)
	}
}

func TestVouched(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	d := callerDraft(Professional)
	d.dmp()["vouched"] = true
	if _, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("vouched for by nobody: %v", err)
	}
	d.iua()["subject_organization_id"] = []any{idStructure}
	d.iua()["national_provider_identifier"] = idStaff
	if p, err := v.Verify(context.Background(), d.sign(t, key)); err != nil || !p.Vouched() {
		t.Errorf("vouched %v, %v", p.Vouched(), err)
	}
}

// Test persons of Pro Santé Connect are accepted where that is asked for, and so is
// everybody else there.
func TestTestPersons(t *testing.T) {
	key := newKey(t)
	for _, test := range []bool{false, true} {
		v, err := NewVerifier(Config{Now: clock, Issuers: []Issuer{{
			Issuer: testIssuer, Audience: testAudience, Algorithms: []string{"ES256"}, Keys: oneKey(&key.PublicKey), Bearer: true, TestPersons: test,
		}}})
		if err != nil {
			t.Fatal(err)
		}
		for id, ok := range map[string]bool{
			"urn:oid:1.2.250.1.71.4.2.1|ANS20230101000001":        test,
			"urn:oid:1.2.250.1.71.4.2.1|899700218896":             true,
			"urn:oid:1.2.250.1.71.4.2.1|ANS":                      false,
			"urn:oid:1.2.250.1.71.4.2.1|ANS2023/1":                false,
			"urn:oid:1.2.250.1.71.4.2.1|ans20230101000001":        false,
			"urn:oid:1.2.250.1.71.4.2.1|ANS202301010000010000000": false,
			"https://rpps.esante.gouv.fr|ANS20230101000001":       false,
			"urn:oid:1.2.250.1.71.4.2.1|8ANS20230101000001":       false,
		} {
			d := physicianDraft()
			d.iua()["national_provider_identifier"] = id
			if _, err := v.Verify(context.Background(), d.sign(t, key)); (err == nil) != ok {
				t.Errorf("test %v, %s: %v", test, id, err)
			}
		}
	}
}

func TestParseKind(t *testing.T) {
	for k := Patient; k <= Operator; k++ {
		if got, ok := ParseKind(k.String()); got != k || !ok {
			t.Errorf("%v: %v, %v", k, got, ok)
		}
	}
	for _, name := range []string{"", "nobody", "Patient"} {
		if k, ok := ParseKind(name); ok || k != Nobody {
			t.Errorf("%q: %v", name, k)
		}
	}
	if Kind(99).String() != "nobody" {
		t.Error("a kind that does not exist has a name")
	}
}

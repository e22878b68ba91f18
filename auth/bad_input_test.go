package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Of all codes of two digits those of TRE_G15 in force are professions, and no
// other: neither those that are deprecated (35 to 39, 93; DOMAIN §4.5) nor one that
// nobody knows.
func TestOnlyProfessionsInForce(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	var accepted []string
	for n := range 100 {
		code := fmt.Sprintf("%02d", n)
		d := callerDraft(Professional)
		d.dmp()["profession"] = object{"system": SystemProfession, "code": code}
		if p, err := v.Verify(context.Background(), d.sign(t, key)); err == nil {
			accepted = append(accepted, p.Profession().Code)
		}
	}
	if want := slices.Collect(Professions()); !slices.Equal(accepted, want) || len(want) != 24 {
		t.Errorf("accepted %v, in force %v", accepted, want)
	}
	for _, code := range []string{"35", "36", "37", "38", "39", "93"} {
		if slices.Contains(accepted, code) {
			t.Errorf("%s is deprecated", code)
		}
	}
}

// Whoever has several practices acts in one, which the token holds. One that holds
// two is nobody's: no reader of it takes the first.
func TestSeveralPractices(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	physician, nurse := object{"system": SystemProfession, "code": "10"}, object{"system": SystemProfession, "code": "60"}
	skill := object{"system": SystemSkill, "code": "SM59"}
	for name, c := range map[string]struct {
		bend func(draft)
		ok   bool
	}{
		"one":                          {func(draft) {}, true},
		"one, repeated":                {func(d draft) { d.iua()["subject_role"] = []any{physician, physician, skill} }, true},
		"a list of professions":        {func(d draft) { d.dmp()["profession"] = []any{physician} }, false},
		"a list of two":                {func(d draft) { d.dmp()["profession"] = []any{physician, nurse} }, false},
		"a second one in subject_role": {func(d draft) { d.iua()["subject_role"] = []any{physician, nurse} }, false},
		"a second one before it":       {func(d draft) { d.iua()["subject_role"] = []any{nurse, physician} }, false},
		"a second one in training": {func(d draft) {
			d.iua()["subject_role"] = []any{physician, object{"system": SystemProfessionTraining, "code": "10"}}
		}, false},
		"another one in subject_role":  {func(d draft) { d.iua()["subject_role"] = []any{nurse} }, false},
		"a second one among the roles": {func(d draft) { d.dmp()["roles"] = []any{nurse} }, false},
		"two practices by their structures": {func(d draft) {
			d.iua()["subject_organization_id"] = []any{idStructure, "urn:oid:1.2.250.1.71.4.2.2|1750000002"}
		}, false},
		"two practices by their names":       {func(d draft) { d.iua()["subject_organization"] = []any{"Hôpital Sud", "Cabinet"} }, false},
		"no profession chosen":               {func(d draft) { delete(d.dmp(), "profession") }, false},
		"no profession chosen, null":         {func(d draft) { d.dmp()["profession"] = nil }, false},
		"the practices of Pro Santé Connect": {func(d draft) { d.dmp()["exercices"] = []any{object{"codeProfession": "10"}} }, false},
	} {
		d := physicianDraft()
		c.bend(d)
		_, err := v.Verify(context.Background(), d.sign(t, key))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := physicianDraft()
	twice := strings.Replace(text(t, d.payload)+"}", `"kind":"professional"`, `"kind":"professional","profession":{"system":"`+SystemProfession+`","code":"60"}`, 1)
	if _, err := v.Verify(context.Background(), signRaw(t, key, text(t, d.header)+"}", twice)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("a profession given twice: %v", err)
	}
}

// A token without a purpose of use, or with one that says nothing, is nobody's;
// TRE_R248 counts under its URL and both its OIDs (DOMAIN §5.1, §11.8).
func TestPurposesOfUse(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for name, purposes := range map[string]any{
		"none": []any{}, "null": nil, "a text": "TREAT", "an empty one": []any{object{}}, "no code": []any{object{"system": SystemActReason}},
		"an empty code": []any{object{"system": SystemActReason, "code": ""}}, "an empty one beside a good one": []any{object{"system": SystemActReason, "code": "TREAT"}, object{}},
		"a blank":        []any{object{"system": SystemActReason, "code": " TREAT"}},
		"another case":   []any{object{"system": SystemActReason, "code": "treat"}},
		"OID bare":       []any{object{"system": "1.2.250.1.213.1.1.4.336", "code": "normal"}},
		"another OID":    []any{object{"system": "urn:oid:1.2.250.1.213.1.1.4.337", "code": "normal"}},
		"two modes":      []any{object{"system": SystemAccessMode, "code": "normal"}, object{"system": oidAccessModeOld, "code": "bris_de_glace"}},
		"the value set":  []any{object{"system": "http://terminology.hl7.org/ValueSet/v3-PurposeOfUse", "code": "TREAT"}},
		"five the same":  slices.Repeat([]any{object{"system": SystemActReason, "code": "TREAT"}}, 5),
		"no list at all": object{"system": SystemActReason, "code": "TREAT"},
	} {
		d := callerDraft(Professional)
		d.iua()["purpose_of_use"] = purposes
		if p, err := v.Verify(context.Background(), d.sign(t, key)); !errors.Is(err, ErrInvalidToken) || p.Kind() != Nobody {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, system := range []string{SystemAccessMode, "urn:oid:1.2.250.1.213.1.1.4.336", "urn:oid:1.2.250.1.213.1.1.4.248"} {
		for code, want := range map[string]Mode{"normal": Normal, "bris_de_glace": BrisDeGlace} {
			d := callerDraft(Professional)
			d.purpose(system, code)
			if p, err := v.Verify(context.Background(), d.sign(t, key)); err != nil || p.Mode() != want {
				t.Errorf("%s|%s: mode %v, %v", system, code, p.Mode(), err)
			}
		}
	}
}

// A reason of blanks is no reason; what is not shown as it is, or turns the
// direction of the text around it, is refused in reasons and in names.
func TestTextsOfTokens(t *testing.T) {
	key := newKey(t)
	v := newVerifier(t, key)
	for text, ok := range map[string]bool{
		"Patient inconscient":               true,
		"Hélène D’ARC-ÉTOILÉ":               true,
		"Patient\tinconscient":              false,
		"Patient\x00inconscient":            false,
		"Patient\x7finconscient":            false,
		"Patient\u0085inconscient":          false,
		"Patient\u202etnelosni":             false,
		"Patient\u2066inconscient":          false,
		"Patient\u200binconscient":          false,
		"Patient\ufeffinconscient":          false,
		"Patient\U000e0041inconscient":      false,
		strings.Repeat("\u200b", 20):        false,
		"Patient inconscient\r\nSet-Cookie": false,
	} {
		d := callerDraft(Professional)
		d.purpose(SystemAccessMode, "bris_de_glace")
		d.dmp()["reason"] = text
		if _, err := v.Verify(context.Background(), d.sign(t, key)); (err == nil) != ok {
			t.Errorf("reason %q: %v", text, err)
		}
		for _, name := range []string{"subject_name", "subject_organization"} {
			d := physicianDraft()
			d.iua()[name] = any(text)
			if name == "subject_organization" {
				d.iua()[name] = []any{text}
			}
			if _, err := v.Verify(context.Background(), d.sign(t, key)); (err == nil) != ok {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	}
	for _, blank := range []string{"   ", "\u00a0\u2003\u3000", " \u2028"} {
		d := callerDraft(Professional)
		d.purpose(SystemAccessMode, "bris_de_glace")
		d.dmp()["reason"] = blank
		if p, err := v.Verify(context.Background(), d.sign(t, key)); err != nil || p.Reason() != "" {
			t.Errorf("a reason of blanks %q is %q, %v", blank, p.Reason(), err)
		}
	}
}

package fhir

import (
	"errors"
	"testing"
)

func TestParseINS(t *testing.T) {
	for _, c := range []struct {
		system, value string
		keyOK         bool
		err           error
	}{
		{SystemINSTest, "285047511200116", true, nil},
		{SystemINSNIR, "279035121518989", true, nil},
		{SystemINSNIR, "124018852493334", true, nil},
		{SystemINSNIR, "180012A00100161", true, nil},
		{SystemINSNIR, "180012B00100188", true, nil},
		{SystemINSNIR, "180012A00100188", false, nil},
		{SystemINSNIA, "163127847704294", true, nil},
		{SystemINSDemo, "262087503203977", true, nil},
		{SystemINSNIR, "123456789012345", false, nil}, // the published examples'
		{SystemINSNIR, "123456789012311", true, nil},
		{"urn:oid:1.2.250.1.213.1.4.2", "285047511200116", false, ErrINSSystem},
		{"", "285047511200116", false, ErrINSSystem},
		{SystemINSNIR, "28504751120011", false, ErrINSForm},
		{SystemINSNIR, "2850475112001160", false, ErrINSForm},
		{SystemINSNIR, "28504751120011A", false, ErrINSForm},
		{SystemINSNIR, "285047C11200116", false, ErrINSForm},
		{SystemINSNIR, "2850475A1200116", false, ErrINSForm},
		{SystemINSNIR, "1800132A0100161", false, ErrINSForm},
		{SystemINSNIR, "180012a00100161", false, ErrINSForm},
		{SystemINSNIR, "", false, ErrINSForm},
	} {
		got, err := ParseINS(Ident{c.system, c.value})
		if !errors.Is(err, c.err) || got.KeyOK != c.keyOK {
			t.Errorf("ParseINS(%s|%s) = %+v, %v; want key %v, error %v", c.system, c.value, got, err, c.keyOK, c.err)
		}
		if err == nil && got.Ident != (Ident{c.system, c.value}) {
			t.Errorf("ParseINS(%s|%s) changed the identifier: %v", c.system, c.value, got.Ident)
		}
	}
}

func TestNIRKeyRange(t *testing.T) {
	for number, want := range map[string]int{
		"0000000000000": 97,
		"0000000000097": 97,
		"0000000000096": 1,
		"1234567890123": 11,
	} {
		if got, err := NIRKey(number); got != want || err != nil {
			t.Errorf("NIRKey(%s) = %d, %v; want %d", number, got, err, want)
		}
	}
}

func TestINSSynthetic(t *testing.T) {
	for system, want := range map[string]bool{SystemINSNIR: false, SystemINSNIA: false, SystemINSTest: true, SystemINSDemo: true} {
		if i, err := ParseINS(Ident{system, "285047511200116"}); err != nil || i.Synthetic() != want {
			t.Errorf("%s: synthetic %v, %v; want %v", system, i.Synthetic(), err, want)
		}
	}
}

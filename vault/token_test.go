package vault_test

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTokensAreFramed(t *testing.T) {
	v := newVault(t)
	seen := map[[32]byte]string{}
	for _, parts := range [][]string{
		{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"a", "b", "c"},
		{"a\x00b"}, {"a", "b"}, {"\x00\x00\x00\x00\x00\x00\x00\x01a"}, {"A"}, {"é"}, {"e\u0301"},
	} {
		for kind, token := range map[string][32]byte{"claim": v.Claim(parts...), "find": v.Find(parts...)} {
			name := kind + " " + strings.Join(parts, "|")
			if other, ok := seen[token]; ok {
				t.Errorf("%q and %q have one token", name, other)
			}
			seen[token] = name
		}
	}
}

func TestTokensOfDifferentPartsDiffer(t *testing.T) {
	v := newVault(t)
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.String(), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if (v.Find(a...) == v.Find(b...)) != slices.Equal(a, b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func TestCursor(t *testing.T) {
	v := newVault(t)
	for _, plain := range []string{"", "page 2", strings.Repeat("x", 500)} {
		s := v.SealCursor([]byte(plain))
		if strings.ContainsAny(s, "+/=?&#% ") {
			t.Errorf("%q cannot stand in a URL", s)
		}
		if got, err := v.OpenCursor(s); err != nil || string(got) != plain {
			t.Errorf("OpenCursor = %q, %v", got, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(raw) {
			changed := slices.Clone(raw)
			changed[bit/8] ^= 1 << (bit % 8)
			got, err := v.OpenCursor(base64.RawURLEncoding.EncodeToString(changed))
			refused(t, "a bit changed", got, err)
		}
		for _, odd := range []string{s + "=", s + "A", s + "\n", s[:4] + "\r\n" + s[4:], s[1:], strings.ToUpper(s), " " + s} {
			got, err := v.OpenCursor(odd)
			refused(t, odd, got, err)
		}
	}
	garbage := make([]byte, 60)
	rand.Read(garbage)
	got, err := v.OpenCursor(base64.RawURLEncoding.EncodeToString(garbage))
	refused(t, "garbage", got, err)
}

package opendmp_test

import (
	"go/ast"
	"go/parser"
	"strings"
	"testing"
)

// TestForgeriesDoNotCompile holds decision 0007: proofs are structs with
// unexported fields, so that only their package makes a non-zero one.
func TestForgeriesDoNotCompile(t *testing.T) {
	cases := []struct{ name, code, refusal string }{
		{"an answer by its fields", `var _ = dossier.Answer{status: 200}`, "cannot refer to unexported field"},
		{"an answer without names", `var _ = dossier.Answer{2}`, "implicit assignment to unexported field"},
		{"an answer changed", `func f(a dossier.Answer) { a.kind = 2 }`, "undefined"},
		{"a clinical answer", `var _ = dossier.clinical`, "undefined"},
		{"a receipt by its fields", `var _ = audit.Receipt{ok: true}`, "cannot refer to unexported field"},
		{"a receipt from a struct", `var _ = audit.Receipt(struct{ ok bool }{true})`, "cannot convert"},
		{"a release by its fields", `var _ = policy.Released[[]byte]{ok: true}`, "cannot refer to unexported field"},
		{"a release from another", `func f(r policy.Released[int]) policy.Released[[]byte] { return r }`, "cannot use"},
		{"a principal by its fields", `var _ = auth.Principal{kind: auth.Professional}`, "cannot refer to unexported field"},
		{"a principal promoted", `func f(p auth.Principal) { p.kind = auth.Patient }`, "undefined"},
	}
	const head = `package p
import ("opendmp/audit"; "opendmp/auth"; "opendmp/dossier"; "opendmp/policy")
var _ audit.Receipt; var _ auth.Principal; var _ dossier.Answer; var _ policy.Released[int]
`
	u := emitUnit(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file, err := parser.ParseFile(u.fset, "forgery.go", head+c.code, 0)
			if err != nil {
				t.Fatal(err)
			}
			switch _, err := u.check([]*ast.File{file}); {
			case err == nil:
				t.Error("it compiles")
			case !strings.Contains(err.Error(), c.refusal):
				t.Errorf("refused by %q, want %q", err, c.refusal)
			}
		})
	}
	t.Run("honest code compiles", func(t *testing.T) {
		file, err := parser.ParseFile(u.fset, "honest.go", head, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.check([]*ast.File{file}); err != nil {
			t.Error(err)
		}
	})
}

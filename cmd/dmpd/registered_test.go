package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
	"opendmp/issuer"
	"opendmp/policy"
)

// hospital is a client that registers FINESS of an establishment, under a decision of
// its CME, none if it is "".
func hospital(id, decision string, finess ...string) issuer.Client {
	c := issuer.Client{ID: id, Name: id, Kind: issuer.Establishment, Scope: "system/*.cruds", Status: issuer.Active, Subjects: []string{"CN=" + id + ",O=Hôpital,C=FR"}}
	for _, f := range finess {
		c.Structures = append(c.Structures, fhir.SystemStructure+"|1"+f)
	}
	if decision != "" {
		c.Decision, c.DecisionDate = decision, "2026-03-12"
	}
	return c
}

func revokedClient(c issuer.Client) issuer.Client {
	c.Status = issuer.Revoked
	return c
}

// inSettings is what the setting etablissements says.
func inSettings(decision string, finess ...string) policy.Establishment {
	e := establishmentOf(hospital("x", decision, finess...))
	for i, f := range finess {
		e.Identifiers[i] = fhir.Ident{System: "https://finess.esante.gouv.fr", Value: f}
	}
	return e
}

// An establishment is registered once, wherever it is written.
func TestRegisteredEstablishments(t *testing.T) {
	const a, b, c, d = "750000101", "750000102", "750000103", "750000104"
	settings := func(all ...policy.Establishment) []policy.Establishment { return all }
	clients := func(all ...issuer.Client) []issuer.Client { return all }
	for name, test := range map[string]struct {
		settings []policy.Establishment
		clients  []issuer.Client
		want     string // the last digit of each identifier, and the decision; "!" and words of the refusal
	}{
		"nobody":                     {want: ""},
		"a client":                   {clients: clients(hospital("h", "CME", a, b)), want: "12 CME"},
		"without decision":           {clients: clients(hospital("h", "", a, b)), want: "12"},
		"software":                   {clients: clients(issuer.Client{Kind: issuer.Software, Status: issuer.Active, Structures: []string{fhir.SystemStructure + "|1" + a}}), want: ""},
		"a SAMU":                     {clients: clients(issuer.Client{Kind: issuer.SAMU, Status: issuer.Active, Structures: []string{fhir.SystemStructure + "|1" + a}}), want: ""},
		"beside the setting":         {settings(inSettings("C1", a)), clients(hospital("h", "C2", b)), "1 C1, 2 C2"},
		"as the setting has it":      {settings(inSettings("CME", a, b)), clients(hospital("h", "CME", b, a)), "12 CME"},
		"the setting decides":        {settings(inSettings("CME", a)), clients(hospital("h", "", a)), "1 CME"},
		"the client decides":         {settings(inSettings("", a)), clients(hospital("h", "CME", a)), "1 CME"},
		"two departments":            {clients: clients(hospital("h", "CME", a, b), hospital("i", "CME", a, b)), want: "12 CME"},
		"two departments, one feeds": {clients: clients(hospital("h", "", a, b), hospital("i", "CME", a, b)), want: "12 CME"},
		"revoked, it stays one":      {clients: clients(revokedClient(hospital("h", "CME", a, b))), want: "12"},
		"revoked, in force elsewhere": {
			clients: clients(revokedClient(hospital("h", "CME", a, b)), hospital("i", "CME", b, c)), want: "23 CME"},
		"revoked, in the setting":  {settings(inSettings("", c)), clients(revokedClient(hospital("h", "CME", c, d))), "3"},
		"two revoked that overlap": {clients: clients(revokedClient(hospital("h", "", a, b)), revokedClient(hospital("i", "", c, b))), want: "123"},
		"revoked ones that join": {
			clients: clients(revokedClient(hospital("h", "", a)), revokedClient(hospital("i", "", c)), revokedClient(hospital("j", "", d)), revokedClient(hospital("k", "", a, c))), want: "4, 13"},
		"a part of the setting's":  {settings(inSettings("CME", a, b)), clients(hospital("h", "CME", a)), "!etablissements[0] and the client h share the identifier 1750000101 "},
		"more than the setting's":  {settings(inSettings("CME", a)), clients(hospital("h", "CME", b, a)), "!etablissements[0] and the client h share the identifier 1750000101 "},
		"a part of another client": {clients: clients(hospital("h", "CME", a, b), hospital("i", "CME", c, b)), want: "!the client h and the client i share the identifier 1750000102 "},
		"a part of two":            {clients: clients(hospital("h", "CME", a), hospital("i", "CME", b), hospital("j", "CME", a, b)), want: "!the client h and the client j share"},
		"two decisions":            {settings(inSettings("C1", a)), clients(hospital("h", "C2", a)), `!etablissements[0] and the client h are one establishment with two decisions of its CME, "C1" and "C2"`},
		"a decision of two days": {settings(func() policy.Establishment {
			e := inSettings("CME", a)
			e.DecisionDate = e.DecisionDate.Add(24 * time.Hour)
			return e
		}()), clients(hospital("h", "CME", a)), "!two decisions"},
	} {
		all, err := registered(test.settings, test.clients)
		if words, refused := strings.CutPrefix(test.want, "!"); refused {
			if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v, want %q", name, err, words)
			}
			continue
		}
		if got := short(all); err != nil || got != test.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, test.want, err)
		}
		rules := policy.DefaultSettings()
		rules.Establishments = all
		if _, err := newEngine(plan{settings: rules, matrix: policy.SandboxMatrix()}); err != nil {
			t.Errorf("%s: the rules refuse: %v", name, err)
		}
	}
}

// short writes establishments: the last digit of each identifier, and the decision.
func short(all []policy.Establishment) string {
	var texts []string
	for _, e := range all {
		var digits []string
		for _, id := range e.Identifiers {
			digits = append(digits, id.Value[len(id.Value)-1:])
		}
		slices.Sort(digits)
		texts = append(texts, strings.TrimSpace(strings.Join(digits, "")+" "+e.DecisionRef))
	}
	return strings.Join(texts, ", ")
}

// The decision holds from the midnight of Paris.
func TestDayOfARegisteredDecision(t *testing.T) {
	if got := establishmentOf(hospital("h", "CME", "750000101")).DecisionDate; !got.Equal(time.Date(2026, 3, 11, 23, 0, 0, 0, time.UTC)) {
		t.Error(got)
	}
}

// client add refuses what a server would not start with, and then registers none.
func TestClientAddThatContradicts(t *testing.T) {
	w := newTokenWorld(t)
	if out, err := command(t, "client", "add", "--data", w.s.Data, w.s.Clients); err != nil {
		t.Fatal(out, err)
	}
	file := writeClients(t, hospital("free", "", "750000901"), hospital("sud-site", "", "750000002", "750000902"))
	_, err := command(t, "client", "add", "--data", w.s.Data, file)
	if err == nil || !strings.Contains(err.Error(), "the client hopital and the client sud-site share the identifier 1750000002") {
		t.Errorf("said %v", err)
	}
	settings := writeFile(t, "dmpd.json", fmt.Sprintf(`{"data":%q,"etablissements":[{"identifiants":["https://finess.esante.gouv.fr|750000901","https://finess.esante.gouv.fr|750000903"]}]}`, w.s.Data))
	_, err = command(t, "client", "add", "--settings", settings, writeClients(t, hospital("free", "", "750000901")))
	if err == nil || !strings.Contains(err.Error(), "etablissements[0] and the client free") {
		t.Errorf("said %v", err)
	}
	software := hospital("lps", "")
	software.Kind, software.Scope, software.IdentityClients = issuer.Software, "user/*.rs", []string{"lps"}
	_, err = command(t, "client", "add", "--settings", settings, writeClients(t, software))
	if err == nil || !strings.Contains(err.Error(), "psc is missing: the client lps") {
		t.Errorf("said %v", err)
	}
	samu := software
	samu.Kind, samu.Structures, samu.Subjects = issuer.SAMU, []string{"urn:oid:1.2.250.1.71.4.2.2|1750000008"}, []string{"CN=samu,O=SAMU,C=FR"}
	software.Subjects = []string{"CN=samu,O=SAMU,C=FR"}
	registered := writeFile(t, "samu.json", fmt.Sprintf(`{"data":%q,"samu":["CN=samu,O=SAMU,C=FR"],"psc":{"issuer":"https://psc.example"}}`, w.s.Data))
	other := writeFile(t, "other.json", fmt.Sprintf(`{"data":%q,"samu":["CN=another,O=SAMU,C=FR"],"psc":{"issuer":"https://psc.example"}}`, w.s.Data))
	for settings, client := range map[string]issuer.Client{registered: software, other: samu} {
		_, err = command(t, "client", "add", "--settings", settings, writeClients(t, client))
		if err == nil || !strings.Contains(err.Error(), "the client lps is of kind "+client.Kind) || !strings.Contains(err.Error(), "setting samu") {
			t.Errorf("%s: said %v", client.Kind, err)
		}
	}
	out, err := command(t, "client", "list", "--settings", settings)
	if err != nil || strings.Contains(out, "free") || !strings.Contains(out, "1750000002; 2026-03-01 CME-1") {
		t.Errorf("%s %v", out, err)
	}
	// The same of a server: one that got into the store all the same stops its start.
	w.s.Establishments = []establishment{{Identifiers: []string{"https://finess.esante.gouv.fr|750000002", "https://finess.esante.gouv.fr|750000904"}}}
	p, err := realPlan(w.s, nil)
	check(t, err)
	if _, err := assemble(t.Context(), p); err == nil || !strings.Contains(err.Error(), "etablissements[0] and the client hopital share") {
		t.Errorf("started: %v", err)
	}
}

func writeClients(t *testing.T, clients ...issuer.Client) string {
	t.Helper()
	return writeFile(t, "clients.json", jsonText(t, clients))
}

// actingIn returns the claims of who acts in a FINESS and nowhere else.
func actingIn(c auth.Claims, finess string) auth.Claims {
	id := fhir.SystemStructure + "|1" + finess
	c.Extensions.IUA.OrganizationID, c.DMP.Structures = []string{id}, []string{id}
	return c
}

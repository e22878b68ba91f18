package main

import (
	"net/http"
	"strings"
	"testing"

	"opendmp/auth"
	"opendmp/sandbox"
)

// The physician of the SAMU finds Alix by what a caller says of her on the
// telephone, reads what the matrix gives, and Alix sees it all in her history.
// Basile, who opposed centre_15, and Claire, whose record is closed, are not there.
func TestSamuFindsByTraits(t *testing.T) {
	w := openWorld(t)
	samu := w.as("samu-garnier")
	for _, traits := range []string{
		"family=Mercier&given=Alix&birthdate=1985-04-12",
		"family=MERCIER&given=Jeanne&gender=female",
		"family=m%C3%A9rcier&birthdate=1985-04-12&gender=female",
		"given=alix&birthdate=1985-04-12&gender=female",
		"family=Mercier&given=Alix&birthdate=1985-04-12&gender=female",
	} {
		found := samu.get("Patient?"+traits).is(200).has("total", "1").has("entry.0.resource.id", w.patient("patient-alix"))
		found.has("entry.0.resource.generalPractitioner", "").has("entry.0.resource.telecom", "")
		if mode := found.header.Get("X-DMP-Mode-Acces"); mode != "centre_15" {
			t.Errorf("mode %q", mode)
		}
	}
	form := samu.do(http.MethodPost, "Patient/_search", "application/x-www-form-urlencoded", []byte("family=mercier&given=alix&gender=female"))
	ins := form.is(200).has("total", "1").at("entry.0.resource.identifier.0.value")
	system := form.at("entry.0.resource.identifier.0.system")
	samu.get("DocumentReference?patient.identifier=" + system + "|" + ins).is(200)

	history := string(w.as("patient-alix").get("AuditEvent?patient=" + w.patient("patient-alix") + "&agent.identifier=8899900000023").is(200).body)
	for _, want := range []string{"ETREAT", "GARNIER"} {
		if !strings.Contains(history, want) {
			t.Errorf("the history of Alix has no %s", want)
		}
	}
	nobody := samu.get("Patient?family=inconnue&given=claire&birthdate=1947-02-21").is(200).has("total", "0")
	for _, absent := range []string{
		"family=nguyen&given=basile&birthdate=1962-11-03",
		"family=fontaine&given=claire&birthdate=1947-02-21",
	} {
		a := samu.get("Patient?"+absent).is(200).has("total", "0").has("entry", "")
		if len(a.body)-len(absent) != len(nobody.body)-len("family=inconnue&given=claire&birthdate=1947-02-21") {
			t.Errorf("%s\n%s", a.body, nobody.body)
		}
	}
	samu.get("Patient?family=mercier&given=alix").is(400)
	if strings.Contains(strings.ToLower(w.log.String()), "mercier") {
		t.Error("the log of the server names who was searched")
	}
}

// OA32, over HTTP: any other caller is refused, in the bytes of any other refusal.
func TestOA32OverHTTP(t *testing.T) {
	w := openWorld(t)
	refused := w.as("medecin-durand").get("DocumentReference?patient=" + w.patient("patient-david")).is(403)
	for _, persona := range []string{
		"medecin-martin", "medecin-durand", "urgentiste-roche", "pharmacien-dubois", "infirmier-moreau", "hopital-nord", "secretariat-nord",
		"assurance-maladie", "patient-alix", "patient-basile", "representative-lambert", "operateur",
	} {
		for _, traits := range []string{"family=mercier&given=alix&birthdate=1985-04-12", "family=personne&given=x&gender=male", "family=mercier"} {
			a := w.as(persona).get("Patient?" + traits).is(403)
			if string(a.body) != string(refused.body) {
				t.Errorf("%s: %s", persona, a.body)
			}
		}
	}
	w.as("samu-garnier").withPurpose("normal", "").get("Patient?family=mercier&given=alix&birthdate=1985-04-12").is(403)
	w.as("").get("Patient?family=mercier&given=alix&birthdate=1985-04-12").is(401)
}

// EM08 and EM09, over HTTP, as far as the tokens of the sandbox tell.
func TestEM08EM09OverHTTP(t *testing.T) {
	w := openWorld(t)
	const query = "Patient?family=mercier&given=alix&birthdate=1985-04-12"
	ask := func(change func(*auth.Claims)) int {
		t.Helper()
		garnier, ok := sandbox.Lookup("samu-garnier")
		if !ok {
			t.Fatal("no samu-garnier")
		}
		c := garnier.Claims("centre_15", "")
		change(&c)
		token, err := w.signer.Sign(c)
		if err != nil {
			t.Fatal(err)
		}
		return w.as("").with("Authorization", "Bearer "+token).get(query).status
	}
	nurse := auth.Coding{System: auth.SystemProfession, Code: "60"}
	for name, c := range map[string]struct {
		change func(*auth.Claims)
		status int
	}{
		"physician behind the SAMU's certificate": {func(*auth.Claims) {}, 200},
		"nurse behind the SAMU's certificate": {func(c *auth.Claims) {
			c.DMP.Profession, c.DMP.Roles, c.Extensions.IUA.Role = &nurse, nil, []auth.Coding{nurse}
		}, 401},
		"physician behind an ordinary certificate": {func(c *auth.Claims) { c.DMP.Kind = "professional" }, 401},
		"no physician": {func(c *auth.Claims) { c.DMP.Profession, c.DMP.Roles, c.Extensions.IUA.Role = nil, nil, nil }, 401},
	} {
		if got := ask(c.change); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
	// A nurse and a physician of elsewhere, in the mode that is theirs.
	w.as("infirmier-moreau").get(query).is(403)
	w.as("medecin-durand").get(query).is(403)
	// EM09: Basile opposed.
	samu := w.as("samu-garnier")
	samu.get("Patient?identifier="+w.people["patient-basile"].INS).is(200).has("total", "0")
	samu.get("DocumentReference?patient="+w.patient("patient-basile")).is(200).has("total", "0")
	samu.get("Patient/" + w.patient("patient-basile")).is(404)
	samu.get("Patient?family=nguyen&given=basile&gender=male").is(200).has("total", "0")
}

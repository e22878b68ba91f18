package dossier_test

import (
	"encoding/json"
	"strings"
	"testing"

	"opendmp/fhir"
)

// conditionally makes of an opening one that opens only where there is no dossier of an
// INS; only leaves of its decisions the first, that the dossier is opened.
func conditionally(t *testing.T, opening, condition string, only bool) string {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal([]byte(opening), &b); err != nil {
		t.Fatal(err)
	}
	entries := b["entry"].([]any)
	if only {
		var kept []any
		for _, e := range entries {
			text, _ := json.Marshal(e)
			if strings.Contains(string(text), `"Patient"`) || strings.Contains(string(text), `"ouverture"`) {
				kept = append(kept, e)
			}
		}
		entries = kept
	}
	for _, e := range entries {
		if request := e.(map[string]any)["request"].(map[string]any); request["url"] == "Patient" {
			if delete(request, "ifNoneExist"); condition != "" {
				request["ifNoneExist"] = condition
			}
		}
	}
	b["entry"] = entries
	body, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func identifier(i fhir.Ident) string { return "identifier=" + i.System + "|" + i.Value }

// An opening with If-None-Exist opens where there is no dossier, and where there is one
// it opens nothing and says which it is; what it would lose by that is a conflict.
func TestConditionalOpening(t *testing.T) {
	h := newHouse(t)
	doctor, other := h.doctor("8899900000011", "1750000001"), h.doctor(leroy, "1750000004")
	simple := func(condition string) string { return conditionally(t, opening(t, farid), condition, true) }
	first := doctor.post("", simple(identifier(farid))).is(200).has("entry.0.response.status", "201 Created").has("entry.1.response.status", "201 Created")
	patient, _, _ := strings.Cut(first.at("entry.0.response.location"), "/_history")

	// The same again is answered as the first time, but that it creates nothing.
	doctor.post("", simple(identifier(farid))).is(200).
		has("entry.0.response.status", "200 OK").has("entry.0.response.location", first.at("entry.0.response.location")).
		has("entry.1.response.location", first.at("entry.1.response.location"))
	doctor.post("", simple("")).is(200).has("entry.0.response.status", "201 Created")

	// Somebody else's.
	other.post("", simple("")).is(409)
	other.post("", simple(identifier(farid))).is(200).
		has("entry.0.response.status", "200 OK").has("entry.0.response.location", patient).has("entry.0.response.etag", "").
		has("entry.1.response.status", "200 OK").has("entry.1.response.location", "").has("entry.1.response.outcome.issue.0.severity", "information")
	whole := conditionally(t, opening(t, farid), identifier(farid), false)
	other.post("", whole).is(409).has("issue.0.details.text", "Un dossier existe déjà pour cet INS, et le lot contient d’autres décisions, qui n’y seraient pas enregistrées : les envoyer à part.")
	me := h.patient(farid)
	me.get("Consent?patient="+strings.TrimPrefix(patient, "Patient/")+"&_summary=count").is(200).has("total", "1")
	me.get(patient+"/_history").is(200).has("total", "1")
	told := string(me.get("AuditEvent?patient=" + strings.TrimPrefix(patient, "Patient/") + "&action=R").is(200).body)
	if !strings.Contains(told, "ITI-65") {
		t.Error("the history does not tell that somebody was told of the record")
	}
}

// The condition of an opening is about its own patient, so that it tells of no other
// what the opening would not tell; and who may not open is told nothing.
func TestConditionalOpeningIsNoOracle(t *testing.T) {
	h := newHouse(t)
	h.openFor(published)
	doctor := h.doctor("8899900000011", "1750000001")
	for _, condition := range []string{
		identifier(published), "identifier=" + farid.Value, "family=BENALI", "identifier=", identifier(farid) + "&_id=1", identifier(farid) + "," + published.Value, "_id=1",
	} {
		doctor.post("", conditionally(t, opening(t, farid), condition, true)).is(400).has("issue.0.expression.0", "Bundle.entry[0].request.ifNoneExist")
	}
	stranger := h.patient(fhir.Ident{System: systemTestINS, Value: "299999999999934"})
	there := stranger.post("", conditionally(t, opening(t, published), identifier(published), true)).is(403)
	none := stranger.post("", conditionally(t, opening(t, farid), identifier(farid), true)).is(403)
	if string(there.body) != string(none.body) {
		t.Error("the refusal tells whether there is a dossier")
	}
}

// A transaction that holds what goes alone says where it goes.
func TestTransactionSaysWhatGoesAlone(t *testing.T) {
	s := newScene(t)
	inline := `{"resourceType":"DocumentReference","status":"current","content":[{"attachment":{"contentType":"text/plain","data":"eA=="}}]}`
	s.author.post("", bundle("transaction", entry("POST", "DocumentReference", inline))).is(400).
		has("issue.0.details.text", "Un document avec son contenu (ITI-105) s’envoie seul, ou dans un lot batch ; une transaction dépose un lot de soumission (ITI-65).").
		has("issue.0.expression.0", "Bundle.entry[0]")
	s.me().post("", bundle("transaction", entry("POST", "Patient/"+s.patient+"/$fermer", `{"resourceType":"Parameters"}`))).is(400).
		has("issue.0.details.text", "Une opération s’envoie seule, ou dans un lot batch.")
}

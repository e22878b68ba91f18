package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"opendmp/cmd/dmpd/internal/bundles"
)

// domain is that of test numbers.
const domain = "urn:oid:1.2.250.1.213.1.4.10"

// Tell plays the whole story. The error says which step was not as told.
func Tell(ctx context.Context, o Options) error {
	s := &stage{Options: o, ctx: ctx, client: &http.Client{Timeout: time.Minute}}
	for _, scene := range []func(*stage){feed, masked, emergency, opposed, history} {
		scene(s)
	}
	if s.err != nil {
		return fmt.Errorf("the story is not as told: %s: %w", s.persona, s.err)
	}
	fmt.Fprintln(o.Out, "\nTout s’est passé comme prévu.")
	return nil
}

func (s *stage) ins(patient string) string { return domain + "|" + s.INS(patient) }

// feed: a hospital opens a record, pushes, and a physician finds and reads.
func feed(s *stage) {
	now := time.Now()
	farid := bundles.Patient{INS: s.INS("patient-farid"), Family: "BENALI", Given: "Farid", Gender: "male", Birth: "1955-12-01"}
	content := pdf("Bilan biologique", "Farid BENALI", "Hemoglobine 13,8 g/dL. Creatinine 84 umol/L.")
	prepared := bundles.NewContent(content)
	report := bundles.Document{Title: "Compte rendu d’examens biologiques", Date: now, Unique: bundles.UUID()}

	s.scene("1. L’hôpital ouvre le dossier de Farid, qui est d’accord, et y dépose un compte rendu")
	s.as("medecin-durand").get(query("Patient", "identifier", domain+"|"+farid.INS)).answers(200, "aucun dossier pour ce matricule INS")
	s.as("hopital-nord").post("", bundles.Opening(farid, now)).answers(200, "dossier ouvert, Hôpital Nord autorisé pour six mois")
	farid.ID = s.created("Patient")
	sent := bundles.Push(farid, report, prepared, now)
	s.post("", sent).answers(200, "un lot de soumission, un document, son contenu")
	id := s.created("DocumentReference")

	s.scene("2. Le même envoi, répété après une coupure, ne crée rien de plus ; un autre contenu sous le même identifiant est refusé")
	s.post("", sent).answers(200, "la même réponse")
	s.check(s.created("DocumentReference") == id, "l’envoi répété a créé un autre document")
	s.post("", bundles.Push(farid, report, bundles.NewContent(pdf("Autre", "Farid BENALI", "Autre.")), now)).answers(409, "%s", s.issue())

	s.scene("3. Un médecin de l’hôpital cherche et lit")
	s.as("medecin-durand").get(query("DocumentReference", "patient.identifier", domain+"|"+farid.INS, "status", "current", "date", "ge2020-01-01", "_sort", "-date"))
	found := s.documents()
	s.answers(200, "%d document", found.Total)
	s.check(found.Total == 1 && found.holds(id), "le document déposé n’est pas trouvé seul")
	s.get("DocumentReference/"+id).answers(200, "les métadonnées, version %s", s.header.Get("ETag"))
	var d document
	s.resource(&d)
	s.check(len(d.Content) == 1, "le document n’a pas un contenu")
	if s.err == nil {
		s.get(d.Content[0].Attachment.URL).answers(200, "%s, %d octets, les mêmes que ceux déposés", s.header.Get("Content-Type"), len(s.body))
	}
	s.check(bytes.Equal(s.body, content), "le contenu lu n’est pas celui déposé")
}

// masked: a masked document does not exist for those from whom it is masked.
func masked(s *stage) {
	id, alix := s.ID("alix-masque"), s.ins("patient-alix")

	s.scene("4. Alix a masqué un document : sa pharmacienne ne le trouve pas, rien ne le trahit")
	s.as("pharmacien-dubois").get(query("DocumentReference", "patient.identifier", alix))
	seen := s.documents()
	s.answers(200, "%d documents, celui-là n’y figure pas", seen.Total)
	s.check(!seen.holds(id) && seen.Total == len(seen.Entry), "le document masqué est trouvé, ou compté")
	s.get("DocumentReference/"+id).answers(404, "%s", s.issue())
	hidden := s.body
	s.get("DocumentReference/jamais-vu").answers(404, "octet pour octet la réponse d’un identifiant qui n’existe pas")
	s.check(bytes.Equal(hidden, s.body), "la réponse trahit que le document existe : %s et %s", hidden, s.body)

	s.scene("5. Son médecin traitant le voit")
	s.as("medecin-martin").get(query("DocumentReference", "patient.identifier", alix))
	all := s.documents()
	s.answers(200, "%d documents, celui-là compris", all.Total)
	s.check(all.holds(id) && all.Total > seen.Total, "le médecin traitant ne voit pas le document masqué")
	s.get("DocumentReference/"+id).answers(200, "lu")
}

// emergency: breaking the glass needs a written reason, and shows nothing masked.
func emergency(s *stage) {
	alix := s.ins("patient-alix")
	search := query("DocumentReference", "patient.identifier", alix)

	s.scene("6. Alix arrive inconsciente : un urgentiste qu’elle n’a pas autorisé demande le bris de glace")
	s.as("urgentiste-roche").get(search).answers(403, "sans autorisation : %s", s.issue())
	s.post("Patient/$bris-de-glace", breaking(s.INS("patient-alix"), "")).answers(422, "sans motif : %s", s.issue())
	s.get(search).answers(403, "toujours refusé")
	s.post("Patient/$bris-de-glace", breaking(s.INS("patient-alix"), "Patiente inconsciente amenée par les pompiers, antécédents inconnus.")).
		answers(200, "accordé pour une heure, motif consigné au dossier")
	s.get(search)
	seen := s.documents()
	s.answers(200, "%d documents ; l’en-tête X-DMP-Mode-Acces dit « %s »", seen.Total, s.header.Get("X-DMP-Mode-Acces"))
	s.check(seen.Total > 0 && s.header.Get("X-DMP-Mode-Acces") == "bris_de_glace", "le bris de glace ne montre rien, ou ne se dit pas")
	s.check(!seen.holds(s.ID("alix-masque")), "le bris de glace montre un document masqué")
	s.tell("ce qu’Alix a masqué reste masqué")
}

// opposed: who said no is obeyed, and the refusal does not say so.
func opposed(s *stage) {
	s.scene("7. Basile s’y est opposé : refusé, dans les mêmes termes que pour un professionnel non autorisé")
	s.as("urgentiste-roche").get(query("DocumentReference", "patient.identifier", s.ins("patient-basile"))).answers(403, "%s", s.issue())
	before := s.body
	s.post("Patient/$bris-de-glace", breaking(s.INS("patient-basile"), "Patient inconscient, antécédents inconnus, risque immédiat.")).
		answers(403, "%s", s.issue())
	s.check(bytes.Equal(before, s.body), "le refus trahit l’opposition")
	s.get(query("DocumentReference", "patient.identifier", s.ins("patient-basile"))).answers(403, "aucun accès n’a été ouvert")
}

// history: the patient sees who looked.
func history(s *stage) {
	alix := s.ins("patient-alix")

	s.scene("8. Alix vérifie qui a consulté son dossier")
	s.as("pharmacien-dubois").get(query("AuditEvent", "patient.identifier", alix)).answers(403, "l’historique n’est pas ouvert à tous")
	s.as("patient-alix").get(query("AuditEvent", "patient.identifier", alix, "_count", "8"))
	var p struct {
		Entry []struct {
			Resource event `json:"resource"`
		} `json:"entry"`
	}
	s.resource(&p)
	s.answers(200, "les %d derniers accès", len(p.Entry))
	broken := false
	for _, e := range p.Entry {
		s.tell("%s", e.Resource)
		broken = broken || strings.Contains(e.Resource.who(), "ROCHE") && strings.Contains(e.Resource.why(), "pompiers")
	}
	s.check(len(p.Entry) == 8, "l’historique a %d lignes", len(p.Entry))
	s.check(broken, "le bris de glace et son motif ne sont pas dans l’historique")
}

// event is what the story looks at in an AuditEvent.
type event struct {
	Recorded time.Time `json:"recorded"`
	Outcome  string    `json:"outcomeDesc"`
	Subtype  []struct {
		Code string `json:"code"`
	} `json:"subtype"`
	Purpose []struct {
		Coding []struct {
			Code string `json:"code"`
		} `json:"coding"`
		Text string `json:"text"`
	} `json:"purposeOfEvent"`
	Agent []struct {
		Name      string `json:"name"`
		Requestor bool   `json:"requestor"`
	} `json:"agent"`
}

func (e event) who() string {
	for _, a := range e.Agent {
		if a.Requestor {
			return a.Name
		}
	}
	return "?"
}

// act is the subtype of an event, as the patient reads it; the code itself where it
// has no French label.
func act(code string) string {
	switch code {
	case "110101":
		return "consultation de l’historique"
	case "AuthZ-Consent":
		return "bris de glace"
	case "ITI-65", "ITI-105":
		return "dépôt"
	case "ITI-66":
		return "recherche de lots"
	case "ITI-67", "search":
		return "recherche"
	case "ITI-68":
		return "lecture du contenu"
	case "create":
		return "création"
	case "delete":
		return "suppression"
	case "history":
		return "lecture des versions"
	case "patch", "update":
		return "modification"
	case "read":
		return "lecture"
	case "transaction":
		return "ouverture du dossier"
	case "vread":
		return "lecture d’une version"
	}
	return code
}

// what returns the act by the last subtype, which is the most precise.
func (e event) what() string {
	if n := len(e.Subtype); n > 0 {
		return act(e.Subtype[n-1].Code)
	}
	return "?"
}

// why returns what is out of the ordinary: another mode than the normal one, and
// the written reason if there is one.
func (e event) why() string {
	if len(e.Purpose) == 0 || len(e.Purpose[0].Coding) == 0 {
		return ""
	}
	var why []string
	switch mode := e.Purpose[0].Coding[0].Code; mode {
	case "normal":
	case "bris_de_glace":
		why = append(why, "mode bris de glace")
	case "centre_15":
		why = append(why, "mode centre 15")
	default:
		why = append(why, mode)
	}
	if text := e.Purpose[0].Text; text != "" {
		why = append(why, "motif « "+text+" »")
	}
	return strings.Join(why, ", ")
}

// String is the line that the patient reads.
func (e event) String() string {
	line := fmt.Sprintf("%s  %-18s %-29s %-27s %s", e.Recorded.Local().Format("15:04:05"), e.who(), e.what(), e.Outcome, e.why())
	return strings.TrimRight(line, " ")
}

// created returns the id of a resource that the last answer says was created.
func (s *stage) created(typ string) string {
	if s.err != nil {
		return ""
	}
	id, err := bundles.Created(s.body, typ)
	if err != nil {
		s.fail(err)
	}
	return id
}

// breaking makes the parameters of $bris-de-glace.
func breaking(ins, reason string) []byte {
	type parameter map[string]any
	parameters := []parameter{
		{"name": "identifier", "valueIdentifier": map[string]string{"system": domain, "value": ins}},
		{"name": "circonstance", "valueCoding": map[string]string{"system": "urn:opendmp:circonstance-urgence", "code": "hors-etat-de-consentir"}},
	}
	if reason != "" {
		parameters = append(parameters, parameter{"name": "motif", "valueString": reason})
	}
	b, err := json.Marshal(map[string]any{"resourceType": "Parameters", "parameter": parameters})
	if err != nil {
		panic("demo: " + err.Error())
	}
	return b
}

// pdf makes a page that any reader opens: a title and two lines, in ASCII.
func pdf(title, patient, text string) []byte {
	page := fmt.Sprintf("BT /F1 18 Tf 72 760 Td (%s) Tj /F1 12 Tf 0 -36 Td (%s) Tj 0 -24 Td (%s) Tj ET", title, patient, text)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(page), page),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

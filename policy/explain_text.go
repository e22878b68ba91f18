package policy

import (
	"strings"

	"opendmp/auth"
	"opendmp/fhir"
)

// Sentence says the line in French and English. name gives the name of a person, a
// structure or, as a value without system, a care team; where it is nil or gives
// "", the identifier stands for it.
func (r Reader) Sentence(name func(fhir.Ident) string) fhir.Text {
	called := func(id fhir.Ident) string {
		if name != nil {
			if n := name(id); n != "" {
				return n
			}
		}
		return id.Value
	}
	return r.say(r.who(called))
}

// subject is the subject of a sentence: a name, and what is said of it beside.
type subject struct {
	name   fhir.Text
	asides []fhir.Text
}

// with adds what is said beside a name.
func (s subject) with(fr, en string) subject {
	s.asides = append(s.asides, fhir.Text{FR: fr, EN: en})
	return s
}

// text writes the subject, with the comma that closes what is said beside.
func (s subject) text() fhir.Text {
	t := s.name
	for _, a := range s.asides {
		t.FR, t.EN = t.FR+", "+a.FR, t.EN+", "+a.EN
	}
	if len(s.asides) > 0 {
		t.FR, t.EN = t.FR+",", t.EN+","
	}
	return t
}

// say makes the sentence of which who is the subject.
func (r Reader) say(who fhir.Text) fhir.Text {
	fr, en := " ne lit pas ce document", " does not read this document"
	switch r.Decision.Extent() {
	case Full:
		fr, en = " lit ce document en entier", " reads this document whole"
	case Metadata:
		fr, en = " ne lit de ce document que les métadonnées", " reads nothing of this document but the metadata"
	}
	why := r.why()
	return fhir.Text{FR: who.FR + fr + " : " + why.FR + ".", EN: who.EN + en + ": " + why.EN + "."}
}

// who is the subject of the sentence.
func (r Reader) who(called func(fhir.Ident) string) fhir.Text {
	s := r.subject(called)
	if !r.Person.IsZero() && !r.Structure.IsZero() {
		s = s.with("dans l’exercice auprès de « "+called(r.Structure)+" »", "when acting in \""+called(r.Structure)+"\"")
	}
	switch r.Cell {
	case Allow:
		s = s.with("si la matrice permet ce type de document à sa profession", "if the matrix allows their profession this type of document")
	case Deny:
		s = s.with("si la matrice ne permet pas ce type de document à sa profession", "if the matrix does not allow their profession this type of document")
	}
	return s.text()
}

// subject names whom the line is about, and by which quality.
func (r Reader) subject(called func(fhir.Ident) string) subject {
	words := subjects[r.Quality]
	s := subject{name: words.name}
	switch {
	case r.Quality == AuthorEstablishment || r.Quality == AuthorAdministration:
		s.name.FR += " de « " + called(r.Structure) + " »"
		s.name.EN += " of \"" + called(r.Structure) + "\""
	case !r.Person.IsZero():
		s.name = fhir.Text{FR: called(r.Person), EN: called(r.Person)}
	case !r.Structure.IsZero():
		s.name = fhir.Text{FR: "Qui exerce dans « " + called(r.Structure) + " »", EN: "Whoever acts in \"" + called(r.Structure) + "\""}
	case len(r.Professions) > 0:
		list := " (" + professions(r.Professions) + ")"
		s.name = fhir.Text{FR: s.name.FR + list, EN: s.name.EN + list}
	case r.Quality == AuthorisedProfession:
		s = s.with("d’une profession que la matrice ne connaît pas", "of a profession that the matrix does not know")
	}
	if words.aside != (fhir.Text{}) {
		s = s.with(words.aside.FR, words.aside.EN)
	}
	if r.Team != "" {
		s = s.with("« "+called(fhir.Ident{Value: r.Team})+" »", "\""+called(fhir.Ident{Value: r.Team})+"\"")
	}
	return s
}

// professions names professions by their French labels, which are those of the
// terminology in whatever language.
func professions(all []auth.Coding) string {
	var labels []string
	for _, c := range all {
		label, ok := ColumnLabel(c)
		if !ok {
			label = c.Code
		}
		labels = append(labels, label)
	}
	return strings.Join(labels, ", ")
}

// subjects are how a quality is told: the name of whom nobody names, and what is
// said beside a name.
var subjects = [qualities]struct{ name, aside fhir.Text }{
	ThePatient:            {name: fhir.Text{FR: "Le patient", EN: "The patient"}},
	TheRepresentative:     {aside: fhir.Text{FR: "qui représente le patient", EN: "who represents the patient"}},
	TreatingPhysician:     {aside: fhir.Text{FR: "médecin traitant", EN: "a médecin traitant"}},
	BlockedPerson:         {aside: fhir.Text{FR: "que le patient a bloqué", EN: "whom the patient blocked"}},
	AuthorPerson:          {aside: fhir.Text{FR: "auteur du document", EN: "an author of the document"}},
	AuthorisedPerson:      {aside: fhir.Text{FR: "que le patient a autorisé", EN: "whom the patient authorised"}},
	EmergencyPerson:       {aside: fhir.Text{FR: "à qui un accès d’urgence est ouvert", EN: "for whom an emergency access is open"}},
	TeamPerson:            {aside: fhir.Text{FR: "membre d’une équipe de soins autorisée", EN: "a member of an authorised care team"}},
	BlockedStructure:      {aside: fhir.Text{FR: "que le patient a bloqué", EN: "which the patient blocked"}},
	AuthorisedStructure:   {aside: fhir.Text{FR: "que le patient a autorisé", EN: "which the patient authorised"}},
	TeamStructure:         {aside: fhir.Text{FR: "membre d’une équipe de soins autorisée", EN: "a member of an authorised care team"}},
	AuthorStructure:       {aside: fhir.Text{FR: "auteur du document", EN: "an author of the document"}},
	DepositorStructure:    {aside: fhir.Text{FR: "d’où vient le dépôt du document", EN: "from where the document was deposited"}},
	AuthorEstablishment:   {name: fhir.Text{FR: "Le système", EN: "The system"}, aside: fhir.Text{FR: "auteur du document", EN: "an author of the document"}},
	AuthorAdministration:  {name: fhir.Text{FR: "Un agent administratif", EN: "Administrative staff"}, aside: fhir.Text{FR: "auteur du document", EN: "an author of the document"}},
	AuthorFeeder:          {name: fhir.Text{FR: "L’assurance maladie", EN: "The health insurance"}, aside: fhir.Text{FR: "qui a alimenté ce document", EN: "which fed this document"}},
	OtherProfessional:     {name: fhir.Text{FR: "Tout autre professionnel", EN: "Any other professional"}},
	AuthorisedProfession:  {name: fhir.Text{FR: "Un autre professionnel", EN: "Another professional"}, aside: fhir.Text{FR: "une fois autorisé", EN: "once authorised"}},
	StudentProfessional:   {name: fhir.Text{FR: "Un étudiant", EN: "A student"}, aside: fhir.Text{FR: "même autorisé", EN: "though authorised"}},
	OccupationalPhysician: {name: fhir.Text{FR: "Un médecin du travail", EN: "An occupational physician"}, aside: fhir.Text{FR: "agissant comme médecin du travail", EN: "acting as an occupational physician"}},
	EmergencyMode:         {name: fhir.Text{FR: "Tout autre professionnel", EN: "Any other professional"}, aside: fhir.Text{FR: "en bris de glace", EN: "in bris de glace"}},
	RegulatorMode:         {name: fhir.Text{FR: "Un médecin régulateur", EN: "A regulator"}, aside: fhir.Text{FR: "en centre 15", EN: "in centre_15"}},
	OtherSystem:           {name: fhir.Text{FR: "Tout autre établissement, agent administratif ou organisme", EN: "Any other establishment, administrative caller or body"}},
	OtherPatient:          {name: fhir.Text{FR: "Tout autre patient ou représentant", EN: "Any other patient or representative"}},
	TheOperator:           {name: fhir.Text{FR: "L’opérateur du serveur", EN: "The operator of the server"}},
}

// why gives the reasons: for each rule that decided its id and what it found.
func (r Reader) why() fhir.Text {
	var fr, en []string
	say := func(id string, t fhir.Text) {
		fr, en = append(fr, t.FR+" ("+id+")"), append(en, t.EN+" ("+id+")")
	}
	ids := r.Decision.Rules()
	for _, id := range ids {
		say(id, reasonOf(id, r.Decision.Allowed()))
	}
	if r.matrix {
		say("L07", fhir.Text{FR: "la matrice permet ce type de document à la profession", EN: "the matrix allows the profession this type of document"})
	}
	if len(ids) == 0 {
		return fhir.Text{FR: "aucune règle ne le permet sans autorisation", EN: "no rule permits it without an authorisation"}
	}
	return fhir.Text{FR: strings.Join(fr, " ; "), EN: strings.Join(en, "; ")}
}

// reasonOf says what a rule on reading, or on opening an emergency access, found,
// where it permitted or limited, and where it refused. A rule without words of its
// own is told by its sentence.
func reasonOf(id string, allowed bool) fhir.Text {
	words := refusing
	if allowed {
		words = permitting
	}
	if t, ok := words[id]; ok {
		return t
	}
	for _, rule := range Rules() {
		if rule.ID == id {
			return fhir.Text{FR: trimmed(rule.Sentence.FR), EN: trimmed(rule.Sentence.EN)}
		}
	}
	return fhir.Text{}
}

func trimmed(sentence string) string { return strings.TrimRight(sentence, " .,") }

var permitting = map[string]fhir.Text{
	"L03":  {FR: "le dossier est le sien", EN: "the dossier is theirs"},
	"L05":  {FR: "un représentant lit ce que lit le patient", EN: "a representative reads what the patient reads"},
	"L06":  {FR: "son autorisation est VALIDE", EN: "their authorisation is VALIDE"},
	"L06a": {FR: "un médecin traitant n’a besoin d’aucune autre autorisation", EN: "a médecin traitant needs no other authorisation"},
	"L07":  {FR: "la matrice ne permet pas ce type de document à la profession, hors les métadonnées de ses propres documents", EN: "the matrix does not allow the profession this type of document, but the metadata of own documents"},
	"L09":  {FR: "l’auteur garde l’accès aux métadonnées de ses documents", EN: "an author keeps access to the metadata of own documents"},
	"L11":  {FR: "un accès d’urgence est ouvert", EN: "an emergency access is open"},
	"L12":  {FR: "en centre 15, un médecin régulateur n’a pas besoin d’autorisation", EN: "in centre_15 a regulator needs no authorisation"},
	"L13":  {FR: "un établissement ou un organisme lit les métadonnées de ses propres documents", EN: "an establishment or a body reads the metadata of own documents"},
}

var refusing = map[string]fhir.Text{
	"L01":          {FR: "l’appelant n’est pas identifié", EN: "the caller is not identified"},
	"1.operateur":  {FR: "l’opérateur ne voit aucun contenu clinique", EN: "the operator sees no clinical content"},
	"1.AIR":        {FR: "un professionnel dont un établissement répond n’est pas admis ainsi", EN: "a professional vouched for by an establishment is not admitted like this"},
	"7.autre":      {FR: "le dossier n’est pas le sien", EN: "the dossier is not theirs"},
	"L02":          {FR: "le dossier est fermé, ou n’existe pas", EN: "the dossier is closed, or does not exist"},
	"L04":          {FR: "ce document est rendu invisible au patient", EN: "this document is hidden from the patient"},
	"L05":          {FR: "ce document est invisible aux représentants, ou la représentation a pris fin", EN: "this document is hidden from representatives, or the representation has ended"},
	"L07":          {FR: "la matrice ne permet pas ce type de document à la profession", EN: "the matrix does not allow the profession this type of document"},
	"L08":          {FR: "ce document est masqué aux professionnels", EN: "this document is masked for professionals"},
	"L10":          {FR: "le patient l’a bloqué", EN: "the patient blocked them"},
	"L12":          {FR: "le patient s’est opposé à l’accès du centre 15", EN: "the patient opposed the access of centre_15"},
	"L13":          {FR: "un établissement ou un organisme ne lit que les métadonnées de ses propres documents", EN: "an establishment or a body reads nothing but the metadata of own documents"},
	"L14":          {FR: "un médecin du travail agissant comme tel ne lit pas", EN: "an occupational physician acting as such does not read"},
	"L15":          {FR: "ce document est supprimé", EN: "this document is deleted"},
	"L16":          {FR: "la matrice ne connaît pas ce type de document", EN: "the matrix does not know this type of document"},
	"L18":          {FR: "le patient a tout masqué, aux médecins traitants aussi", EN: "the patient hid everything, from médecins traitants too"},
	"5.opposition": {FR: "le patient s’est opposé au bris de glace", EN: "the patient opposed break-glass"},
}

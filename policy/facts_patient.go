package policy

import (
	"slices"
	"strings"

	"opendmp/fhir"
)

// Extensions of a Patient that the policy reads or shows.
const (
	extFermeture     = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-fermeture"
	extRattachement  = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-rattachement-mes"
	extMT            = "https://interop.esante.gouv.fr/ig/fhir/dmp/StructureDefinition/dmp-medecin-traitant"
	extAutorisation  = "urn:opendmp:autorisation"
	extAlertes       = "urn:opendmp:alertes"
	extAccord        = "urn:opendmp:accord-patient"
	extReliability   = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
	extReliability20 = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-ident-reliability"
)

// motiveDeath is the motive of a closing by death (G12).
const motiveDeath = "DECES"

func (x *extraction) patient() {
	x.begin(typePatient)
	x.facts.status = Current
	x.facts.person.active = x.r.Get("active").True()
	x.facts.person.birth = x.r.Get("birthDate").Text()
	x.facts.person.deceased = x.r.Get("deceasedBoolean").True() || x.r.Get("deceasedDateTime").Exists()
	if x.diesBeforeBirth() {
		x.refuse("business-rule", "deceased", "Le décès ne précède pas la naissance.", "Death does not come before birth.")
	}
	x.ins()
	x.identifiers(x.r.Get("identifier"))
	gps := extraction{r: x.r}
	for gp := range x.r.Get("generalPractitioner").Items() {
		named := len(gps.facts.persons)
		gps.party(gp, 0)
		if isAgreement(gp) {
			x.facts.person.agreed = append(x.facts.person.agreed, gps.facts.persons[named:]...)
		}
	}
	x.facts.person.gps = gps.facts.persons
	for e := range x.r.Get("extension").Items() {
		switch {
		case e.Get("url").Is(extFermeture):
			x.closing(e)
		case e.Get("url").Is(extReliability), e.Get("url").Is(extReliability20):
			x.reliability(e)
		}
	}
}

func (x *extraction) diesBeforeBirth() bool {
	birth, known := fhir.ParseInterval(x.facts.person.birth)
	death, dated := fhir.ParseInterval(x.r.Get("deceasedDateTime").Text())
	return known && dated && death.To <= birth.From
}

// isAgreement tells whether the reference to a médecin traitant says where the
// patient's agreement is recorded (G07), as Consent.sourceAttachment does.
func isAgreement(gp fhir.Node) bool {
	for e := range gp.Get("extension").Items() {
		if e.Get("url").Is(extAccord) && strings.TrimSpace(e.At("valueAttachment", "title").Text()) != "" {
			return true
		}
	}
	return false
}

// ins notes the national identifiers. One may be active: two would leave open
// which person the dossier is of.
func (x *extraction) ins() {
	var old []fhir.Ident
	for i := range x.r.Get("identifier").Items() {
		id := identOf(i)
		switch {
		case !isINS(id):
		case i.Get("use").Is("old"):
			old = append(old, id)
		case x.facts.person.hasINS:
			x.refuse("business-rule", "identifier", "Un dossier a un seul INS actif.", "A dossier has one active INS.")
		default:
			x.facts.person.hasINS = true
			x.facts.person.ins = append(x.facts.person.ins, id)
		}
	}
	for _, id := range old {
		if !slices.Contains(x.facts.person.ins, id) {
			x.facts.person.ins = append(x.facts.person.ins, id)
		}
	}
}

// closing reads the date and the motive of a closing.
func (x *extraction) closing(e fhir.Node) {
	for sub := range e.Get("extension").Items() {
		switch {
		case sub.Get("url").Is("dateFermeture"):
			x.facts.person.closedOn = sub.Get("valueDate").Text()
		case sub.Get("url").Is("motifFermeture"):
			code := sub.At("valueCodeableConcept", "coding", "code")
			x.facts.person.motive = code.Text() != ""
			x.facts.person.ofDeath = code.Is(motiveDeath)
		}
	}
}

// reliability reads the status of the identity. Its code system has changed
// three times, so that only the code counts (DOMAIN §1.4).
func (x *extraction) reliability(e fhir.Node) {
	for sub := range e.Get("extension").Items() {
		if !sub.Get("url").Is("identityStatus") && !sub.Get("url").Is("identityReliability") {
			continue
		}
		code := sub.At("valueCoding", "code")
		x.facts.person.qualified = x.facts.person.qualified || code.Is("VALI") || code.Is("QUAL")
	}
}

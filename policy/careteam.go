package policy

import (
	"encoding/binary"

	"opendmp/fhir"
)

// maxMembers is how many participants a care team may have. A team is those who
// take part in the care of one person (CSP L.1110-12), so that the patient who
// consents to it can know whom it names (R.1111-46); for more, a structure is one
// participant.
const maxMembers = 50

// member is a participant of a care team: a person, or a structure, which stands
// for those who act in it.
type member struct {
	kind   actorKind // aboutPerson or aboutStructure
	id     fhir.Ident
	period period
}

// beyondTeam are the elements of a CareTeam that are refused: those that say why
// there is a team, which its members may know without a right to read the
// dossier, and those under which a participant could be written whom nobody reads.
var beyondTeam = [...]string{"contained", "encounter", "reasonCode", "reasonReference", "note"}

func (x *extraction) careTeam() {
	x.begin(typeCareTeam)
	x.status(teamStatus)
	x.subject("subject")
	x.identifiers(x.r.Get("identifier"))
	x.facts.period = x.periodOf(x.r.Get("period"), "period")
	for _, name := range beyondTeam {
		x.unsupported(x.r.Root(), name, name)
	}
	if x.r.Get("participant").Len() > maxMembers {
		x.refuse("too-long", "participant", "Une équipe de soins a 50 participants au plus.", "A care team has 50 participants at most.")
		return
	}
	for p := range x.r.Get("participant").Items() {
		x.member(p)
	}
}

// teamStatus reads a status. A team that is proposed or suspended would be neither
// in force nor out of it.
func teamStatus(code string) Status {
	switch code {
	case "active":
		return Current
	case "inactive":
		return Inactive
	case "entered-in-error":
		return Deleted
	}
	return NoStatus
}

// member reads a participant. On whose behalf they act would narrow them to what
// the rules do not look at.
func (x *extraction) member(p fhir.Node) {
	x.unsupported(p, "onBehalfOf", "participant.onBehalfOf")
	x.unsupported(p, "modifierExtension", "participant.modifierExtension")
	kind, id := x.actor(p.Get("member"))
	if kind != aboutPerson && kind != aboutStructure {
		x.refuse("business-rule", "participant.member",
			"Un participant est un professionnel ou une structure, désigné par son identifiant national (member.identifier).",
			"A participant is a professional or a structure, named by the national identifier (member.identifier).")
		return
	}
	x.facts.members = append(x.facts.members, member{kind, id, x.periodOf(p.Get("period"), "participant.period")})
}

// unsupported refuses an element that is there.
func (x *extraction) unsupported(n fhir.Node, name, expression string) {
	if n.Get(name).Exists() {
		x.refuse("not-supported", expression, "Cet élément n’est pas admis.", "This element is not supported.")
	}
}

func appendMembers(b []byte, members []member) []byte {
	b = binary.AppendUvarint(b, uint64(len(members)))
	for _, m := range members {
		b = appendIdent(append(b, byte(m.kind)), m.id)
		b = m.period.append(b)
	}
	return b
}

func (d *decoder) members() []member {
	n := d.count()
	if n == 0 {
		return nil
	}
	members := make([]member, n)
	for i := range members {
		members[i] = member{actorKind(d.below(byte(aboutTeam))), d.ident(), d.period()}
	}
	return members
}

package policy

import (
	"math"
	"slices"
)

// and returns the time that two periods share; the zero period, which is empty, if
// there is none.
func (p period) and(q period) period {
	both := period{max(p.from, q.from), min(p.to, q.to)}
	if both.from >= both.to {
		return period{}
	}
	return both
}

// within tells whether all of p is in q.
func (p period) within(q period) bool { return q.from <= p.from && p.to <= q.to }

// holds returns when a participant is a member: in the time of the team and of the
// participation, while the team is in use.
func (f *Facts) holds(m member) period {
	if f.status != Current {
		return period{}
	}
	return f.period.and(m.period)
}

// team returns the care team of the dossier that a reference names; nil if there
// is none.
func (v *View) team(ref string) *Facts {
	i, ok := v.rec.Index(ref)
	if !ok || v.rec.subjects[i].Facts.typ != typeCareTeam {
		return nil
	}
	return &v.rec.subjects[i].Facts
}

// isMember tells whether the caller is a participant, or acts in the structure that is.
func (k caller) isMember(m member) bool {
	if m.kind == aboutPerson {
		return !k.id.IsZero() && k.id == m.id
	}
	return slices.Contains(k.structures, m.id)
}

// inTeam tells whether a care team lists the caller, or their structure, be it for
// a time that is over.
func (k caller) inTeam(team *Facts) bool {
	return team != nil && slices.ContainsFunc(team.members, k.isMember)
}

// authorised reads into the case what an authorisation of a care team gives: to
// each member, while team, membership and consent are all in force. It is never
// the member's own, which an occupational physician would need (L14).
func (v *View) authorised(c *Case, f *Facts) {
	team := v.team(f.consent.actor.Value)
	if team == nil {
		return
	}
	for _, m := range team.members {
		if held := team.holds(m).and(f.period); held != (period{}) && v.caller.isMember(m) {
			v.authorisation(c, held, false)
		}
	}
}

// aboutMe tells whether a Consent names the caller, their structure or a care team
// that lists one of them; or whether a CareTeam does.
func (v *View) aboutMe(f *Facts) bool {
	if f.typ == typeCareTeam {
		return v.caller.inTeam(f)
	}
	inPerson, byStructure := v.caller.named(f.consent)
	return inPerson || byStructure || f.consent.actorKind == aboutTeam && v.caller.inTeam(v.team(f.consent.actor.Value))
}

// seesTeam tells whether a Consent may name a care team: it is one in use of this
// dossier, and the caller may read it. Who may not is not told which it is.
func (v *View) seesTeam(ref string) bool {
	team := v.team(ref)
	return team != nil && team.status == Current && v.Sees(ref)
}

// ChangeTeam decides on making a care team (before is nil), or on changing one
// (POLICY §6): who joins it, or is a member for longer, as an authorisation for
// them (G05), who is a member no more as its withdrawal. changed names the
// top-level elements that differ; what differs beside the members asks for the
// right to make the team. A team that the caller may not read is Hidden.
func (v *View) ChangeTeam(before *Facts, after Facts, changed []string) Decision {
	if v.empty() || after.typ != typeCareTeam || before != nil && before.typ != typeCareTeam {
		return Decision{}
	}
	c := v.base
	if before == nil {
		before = &Facts{}
		c.BadChange = after.status != Current
	} else if seen := v.read(before, -1); !seen.Allowed() {
		return seen
	} else {
		c.BadChange = before.patient != after.patient
	}
	if !v.owns(after) {
		c.State = NoDossier
	}
	joins, leaves := v.gains(before, &after), v.gains(&after, before)
	c.ForMe = slices.ContainsFunc(joins, v.caller.isMember)
	c.ForPerson = !slices.ContainsFunc(joins, func(m member) bool { return m.kind != aboutPerson })
	narrows := len(leaves) > 0
	var parts []Decision
	if !narrows || len(joins) > 0 || slices.ContainsFunc(changed, besideMembers) {
		c.Act = ActTeam
		parts = append(parts, v.decide(c))
	}
	if narrows {
		c.Act = ActNarrowTeam
		parts = append(parts, v.decide(c))
	}
	return And(parts...)
}

// besideMembers tells whether an element of a CareTeam says something else than
// who is a member when.
func besideMembers(element string) bool {
	switch element {
	case "status", "period", "participant", "text":
		return false
	}
	return true
}

// gains returns the participants of a team, as it is to be, who are members from
// now on at a time when they are not as it was.
func (v *View) gains(was, is *Facts) []member {
	ahead := period{v.now, math.MaxInt64}
	var gained []member
	for _, m := range is.members {
		held := is.holds(m).and(ahead)
		if held == (period{}) {
			continue
		}
		if !slices.ContainsFunc(was.members, func(n member) bool {
			return n.kind == m.kind && n.id == m.id && held.within(was.holds(n))
		}) {
			gained = append(gained, m)
		}
	}
	return gained
}

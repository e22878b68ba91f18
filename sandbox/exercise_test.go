package sandbox_test

import (
	"testing"

	"opendmp/auth"
	"opendmp/sandbox"
)

// Who exercises is at the place of the cast first, and a client has both a choice of
// places and a choice of situations to make.
func TestExercises(t *testing.T) {
	places, situations := 0, 0
	for _, p := range sandbox.Personas() {
		all := p.Exercises()
		professional := p.Kind == auth.Professional || p.Kind == auth.Regulator
		if professional != (len(all) > 0) {
			t.Errorf("%s has %d exercises", p.Key, len(all))
		}
		if !professional {
			continue
		}
		ids, name := p.Workplace()
		if first := all[0].Places[0]; first.ID != ids[0] || first.Name != name || first.Sector == "" {
			t.Errorf("%s is first at %+v", p.Key, first)
		}
		if e := all[0]; e.Profession != p.Profession.Code || e.Skill != p.Skill.Code || (e.Category == "E") != p.Student {
			t.Errorf("%s exercises %+v", p.Key, e)
		}
		places, situations = max(places, len(all[0].Places)), max(situations, len(all))
	}
	if places < 2 || situations < 2 {
		t.Errorf("at most %d places and %d situations: nothing to choose", places, situations)
	}
}

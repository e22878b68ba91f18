package policy

import "opendmp/fhir"

// rulesOfExplaining are G13: who may ask who reads a document.
var rulesOfExplaining = []rule{
	{
		id: "G13",
		sentence: fhir.Text{
			FR: "Le patient et un médecin traitant demandent, d’un document qu’ils peuvent lire, qui peut le lire et selon quelle règle ; pour tout autre, il n’y a pas de tel document.",
			EN: "The patient and a médecin traitant may ask, of a document that they can read, who can read it and by which rule; for anyone else there is no such document."},
		source: "POLICY §4 (choix)",
		on:     on(ActExplain),
		judge: func(c Case) Effect {
			return permitIf(c.State == Active && c.Sees && (c.holder() || c.professional() && c.MT))
		},
	},
}

package main

// carrier is code that carries a rule, or a part of it, beside the rows of the
// table; and tests, of the same package, that hold it there.
type carrier struct {
	what  string // what it carries, in French
	code  string // file, from the root
	tests []test
}

// test is a test by its name, and its file once it is found.
type test struct{ name, file string }

func by(what, code string, tests ...string) carrier {
	c := carrier{what: what, code: code}
	for _, name := range tests {
		c.tests = append(c.tests, test{name: name})
	}
	return c
}

// carriers are what a rule of POLICY.md asks for and no row of the table decides:
// what is counted, timed, cut, written together or forgotten. The generator fails
// when one of the files or tests is not there.
var carriers = map[string][]carrier{
	"L02": {by("un dossier détruit répond comme ce qui n’a jamais existé", "dossier/destroy.go", "TestDestroyedCostsWhatAbsentCosts")},
	"L05": {by("la majorité et les périodes de représentation", "policy/situation.go", "TestRepresents", "TestBirthday")},
	"L06": {by("les autorisations : personne, structure, équipe de soins, et leurs périodes", "policy/situation.go", "TestSituation", "TestTeamAuthorises", "TestTeamIsNotPersonal")},
	"L07": {by("la matrice elle-même : colonnes, types, tables qui se suivent", "policy/matrix.go", "TestLookupEqualsTheFile", "TestCellsOfCallers", "TestTablesFollowEachOther")},
	"L11": {by("l’accès d’urgence, écrit par le serveur seul, une fois par jeton", "dossier/emergency.go", "TestBrisDeGlace", "TestOneGrantForOneToken")},
	"L12": {by("la recherche par traits du centre 15", "dossier/candidates.go", "TestTraitSearch", "TestEM09OpposedDoNotAppear")},
	"L15": {by("un document supprimé a disparu, ses versions et son contenu aussi", "dossier/change.go", "TestDelete", "TestEnteredInError")},
	"L17": {
		by("les listes se lisent avec leurs documents", "policy/view.go", "TestReleaseLists", "TestFolders"),
		by("les références vers ce qui est caché sont ôtées", "policy/trim.go", "TestTrim", "TestTwoWorlds", "TestReferencesToTeamsAreCut"),
	},
	"E01": {
		by("l’établissement enregistré et la décision de sa CME", "policy/establishment.go", "TestFeedingByDecision", "TestEstablishmentIsOne"),
		by("la décision dans l’historique", "dossier/event.go", "TestEstablishmentFeeds"),
	},
	"E03": {by("qui est auteur d’un document", "policy/parties.go", "TestAddOwns", "TestAddNamesNobodyElse")},
	"E06": {
		by("le remplaçant reprend les drapeaux de visibilité du remplacé", "policy/write.go", "TestTakeOver"),
		by("le remplacé devient superseded dans la même écriture", "dossier/replace.go", "TestReplacingTwo"),
	},
	"E09": {
		by("le délai d’un mois, et l’avis neutre du quatorzième jour", "policy/notice.go", "TestNoticeDue", "TestHiding"),
		by("l’avis est envoyé une fois", "dossier/remind.go", "TestRemind", "TestRemindOncePerDay"),
	},
	"E13": {by("les éléments qu’un PATCH peut nommer", "policy/write.go", "TestPatchElements")},
	"E15": {by("un changement est jugé par les drapeaux avant et après", "policy/write.go", "TestChangeKeepsTheRest")},
	"G01": {
		by("l’ouverture et ses consentements, jugés ensemble", "policy/manage.go", "TestOpen", "TestOpenByLetter"),
		by("un seul dossier par INS", "dossier/open.go", "TestOpeningAtOnce"),
	},
	"G03": {
		by("les dix ans de conservation", "policy/retention.go", "TestRetentionOver", "TestReopenInTime"),
		by("la destruction au terme, en deux temps", "dossier/purge.go", "TestPurge", "TestPurgeSparesTheReactivated"),
	},
	"G04": {
		by("rien ne reste d’un dossier détruit", "dossier/destroy.go", "TestDetruire", "TestDetruireDocument", "TestDestructionLeavesNothing"),
		by("sans sa clé, un dossier ne s’ouvre plus", "vault/ring.go", "TestDestroyedDossier"),
	},
	"G05": {by("le patient est toujours informé", "dossier/notice.go", "TestTeamChangesAreTold")},
	"G09": {
		by("les classes des événements, et ce qui réapparaît", "policy/history.go", "TestClassOf", "TestClassNow"),
		by("l’historique ne trahit pas ce qui est caché", "dossier/trail.go", "TestHistoryKeepsTheSecret"),
	},
	"G11": {by("le Patient, jugé par élément", "policy/manage.go", "TestPatientElements", "TestChangeINS")},
	"G12": {by("le décès ferme le dossier", "dossier/closing.go", "TestDeces")},
	"G13": {
		by("chaque ligne est une décision des règles elles-mêmes", "policy/explain_readers.go", "TestExplanationAgrees", "TestExplanationAgreesOnAnything", "TestExplanationOfTwoWorlds"),
		by("l’opération $expliquer", "dossier/explain.go", "TestExplain", "TestExplainIsNoOracle", "TestExplainIsInTheHistory"),
	},

	"5.bris":     {by("une demande, un accès, un événement", "dossier/emergency.go", "TestBrisDeGlaceByToken")},
	"5.traits":   {by("trois traits, vingt réponses, un débit", "dossier/traits.go", "TestTraitSearchTooMany", "TestTraitSearchRate")},
	"6.TD0.2":    {by("ce que répond l’état d’un dossier, et rien de plus", "policy/status.go", "TestReleaseStatus")},
	"6.Consent":  {by("la table des consentements de POLICY §6", "policy/consent.go", "TestFactsOfConsents", "TestFactsRefuse")},
	"6.CareTeam": {by("qui entre dans une équipe, qui en sort", "policy/careteam_view.go", "TestChangeTeam", "TestFactsOfTeams")},
	"7.autre":    {by("ce qui est caché coûte ce que coûte ce qui n’existe pas", "dossier/read.go", "TestHiddenCostsWhatUnknownCosts")},
}

// phrases are where POLICY.md says what a rule without a number of its own carries
// out: words of the section that its id begins with.
var phrases = map[string]string{
	"1.AIR":           "A professional vouched for by an establishment (AIR",
	"1.administratif": "`administrative` (front-office staff",
	"1.operateur":     "`operator` (runs the server; sees no clinical content)",
	"5.bris":          "by a person authenticated in person, opens a grant",
	"5.motif":         "a written reason (10 to 500 characters after trimming)",
	"5.opposition":    "one wording for opposed and unauthorised",
	"5.traits":        "may search dossiers by traits",
	"6.CareTeam":      "| CareTeam (",
	"6.Consent":       "Anything else is 422",
	"6.Patient":       "the full resource to those who may read the dossier and to the patient",
	"6.Provenance":    "| Provenance | with its target",
	"6.RelatedPerson": "| RelatedPerson | patient, representative, médecin traitant",
	"6.TD0.2":         "exact INS search (TD0.2) answers",
	"6.etat":          "| Patient |",
	"6.periode":       "the server sets `dateTime` and refuses a past start",
	"7.autre":         "patient or representative naming another dossier",
}

// settingOf names the setting of POLICY.md behind a field of policy.Options.
var settingOf = map[string]string{
	"AIR":                   "`air`",
	"OccupationalByConsent": "`occupational-physician`",
	"Students":              "étudiants (bac à sable seulement)",
	"FeedByAuthorisation":   "`alimentation-sur-autorisation`",
	"BlockForbidsFeeding":   "`blocage-interdit-alimentation`",
	"BothFlags":             "`cumul-invisible-masque`",
	"ClassMustFit":          "`classe-du-type`",
	"MaskAllSparesMT":       "`masquage-total-mt`",
	"OpenAutomatically":     "`ouverture`",
}

// timed are the settings that are no field of policy.Options: lengths of time and
// lists, of which a rule sees only what follows from them.
var timed = map[string][]string{
	"L05":       {"`majorite`"},
	"L11":       {"durée de l’accès d’urgence"},
	"5.bris":    {"professions admises au bris de glace", "durée de l’accès d’urgence"},
	"L07":       {"`matrix`", "`matrix-unknown`"},
	"E01":       {"`etablissements`"},
	"E04":       {"`types-assurance-maladie`"},
	"E09":       {"`annonce-rappel`", "`annonce-fin`"},
	"E11":       {"`majorite`"},
	"6.periode": {"durée des autorisations"},
	"G03":       {"durée de conservation"},
	"G04":       {"durée d’un second facteur"},
	"G05":       {"durée des autorisations"},
}

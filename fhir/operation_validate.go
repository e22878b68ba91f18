package fhir

// validation is $validate on a type (R4 resource-operation-validate.html). Its
// definition is that of FHIR itself. Of AuditEvents and contents, which are not
// written by themselves, only the type has it.
func validation(on string, instance bool) OperationDef {
	return OperationDef{
		Name: "validate", Standard: "http://hl7.org/fhir/OperationDefinition/Resource-validate", On: on, Type: true, Instance: instance,
		Title: Text{FR: "Vérifier une ressource", EN: "Validate a resource"},
		About: Text{
			FR: "Dit si une ressource respecte FHIR R4, les profils qu’elle annonce et celui qui est demandé, sans rien enregistrer de la ressource. Les profils connus sont dans docs/validation.md ; les autres sont signalés comme non vérifiés.",
			EN: "Tells whether a resource keeps to FHIR R4, to the profiles that it claims and to the one asked for; nothing of the resource is stored. The profiles that are known are in docs/validation.md; others are reported as not checked.",
		},
		Params: []OperationParam{
			{Name: "resource", Type: "Resource", About: Text{
				FR: "La ressource ; elle peut aussi être le corps de la requête. Inutile avec le mode delete.",
				EN: "The resource; it may also be the body of the request. Not needed with mode delete.",
			}},
			{Name: "mode", Type: "code", InURL: true, About: Text{
				FR: "create, update ou delete : ce que l’appelant se propose de faire. Sans lui, ou avec profile, la ressource seule est vérifiée.",
				EN: "create, update or delete: what the caller means to do. Without it, or with profile, only the resource is checked.",
			}},
			{Name: "profile", Type: "uri", InURL: true, About: Text{
				FR: "URL d’un profil, en plus de ceux que la ressource annonce.",
				EN: "URL of a profile, beside those that the resource claims.",
			}},
			{Name: "return", Type: "OperationOutcome", Min: 1, Out: true, About: Text{
				FR: "Ce qui a été trouvé ; une erreur au moins si la ressource est invalide.",
				EN: "What was found; at least one error if the resource is invalid.",
			}},
		},
	}
}

// argumentsInURL are the names of the parameters that an operation takes from its
// URL, beside a body that is its resource (R4 operations.html#request).
func (o *OperationDef) argumentsInURL() []string {
	var names []string
	for _, p := range o.Params {
		if p.InURL {
			names = append(names, p.Name)
		}
	}
	return names
}

package fhir

// generation is $generate-metadata of IHE MHD 4.2 (ITI-106), whose definition is
// that of the guide.
var generation = OperationDef{
	Name: "generate-metadata", Standard: "https://profiles.ihe.net/ITI/MHD/OperationDefinition/generate-metadata",
	On: "DocumentReference", Type: true,
	Title: Text{FR: "Publier un document par son en-tête", EN: "Publish a document by its header"},
	About: Text{
		FR: "Publie un document dont les métadonnées sont tirées de lui-même : de l’en-tête d’un CDA, ou de la Composition d’un document FHIR. Ce qui suit est une publication comme une autre : mêmes règles, même historique ; le même document envoyé deux fois n’est enregistré qu’une fois.",
		EN: "Publishes a document whose metadata are taken from itself: from the header of a CDA, or from the Composition of a FHIR document. What follows is a publication like any other: the same rules, the same history; a document sent twice is stored once.",
	},
	Params: []OperationParam{
		{Name: "document", Type: "Resource", Min: 1, About: Text{
			FR: "Le document : un Binary qui contient un CDA, ou un Bundle de type document.",
			EN: "The document: a Binary that holds a CDA, or a Bundle of type document.",
		}},
		{Name: "DocumentReference", Type: "Reference", Min: 1, Out: true, About: Text{
			FR: "Le DocumentReference qui vient d’être enregistré, ou qui l’était déjà.",
			EN: "The DocumentReference that was just stored, or that was there before.",
		}},
	},
}

package fhir

import (
	"fmt"
	"strings"
)

// rule is one thing that Parse refuses: the code of the issue and its sentences,
// where %s is the name of the element. None of them quotes a value.
type rule struct {
	code   string
	fr, en string
	// note tells developers more, in English.
	note string
}

// Structure.
var (
	notResource    = &rule{"structure", "« %s » doit être une ressource (un objet JSON).", "“%s” must be a resource (a JSON object).", ""}
	unknownType    = &rule{"structure", "« %s » n’est pas un type de ressource de FHIR R4.", "“%s” is not a resource type of FHIR R4.", "resourceType must be a resource type of 4.0.1, in its exact case"}
	unhandledType  = &rule{"not-supported", "Ce serveur ne traite pas ce type de ressource (« %s »).", "This server does not handle that type of resource (“%s”).", ""}
	unknownElement = &rule{"structure", "L’élément « %s » n’existe pas à cet endroit dans FHIR R4.", "The element “%s” does not exist here in FHIR R4.", "element names are case sensitive; use an extension for what FHIR does not have"}
	notObject      = &rule{"structure", "L’élément « %s » doit être un objet JSON.", "The element “%s” must be a JSON object.", ""}
	notArray       = &rule{"structure", "L’élément « %s » se répète : il s’écrit comme un tableau JSON.", "The element “%s” repeats: it must be a JSON array.", ""}
	notSingle      = &rule{"structure", "L’élément « %s » ne se répète pas : il ne peut pas être un tableau JSON.", "The element “%s” does not repeat: it must not be a JSON array.", ""}
	empty          = &rule{"structure", "L’élément « %s » est vide.", "The element “%s” is empty.", "ele-1: an element has a value or children; arrays and objects are never empty"}
	strayNull      = &rule{"structure", "L’élément « %s » ne peut pas être null.", "The element “%s” must not be null.", ""}
	lonelyNull     = &rule{"structure", "Dans « %s », un null doit correspondre à une valeur ou à une extension de l’autre tableau.", "In “%s”, a null must stand for a value or an extension in the other array.", ""}
	unequalArrays  = &rule{"structure", "Les deux tableaux de « %s » (valeurs et extensions) doivent avoir la même longueur.", "The two arrays of “%s” (values and extensions) must have the same length.", ""}
	twoChoices     = &rule{"structure", "L’élément « %s » ne peut avoir qu’un seul type.", "The element “%s” can have one type only.", "a choice of types takes one of them"}
	notString      = &rule{"structure", "L’élément « %s » doit être une chaîne JSON.", "The element “%s” must be a JSON string.", ""}
	notNumber      = &rule{"structure", "L’élément « %s » doit être un nombre JSON.", "The element “%s” must be a JSON number.", ""}
	notBoolean     = &rule{"structure", "L’élément « %s » doit être true ou false, sans guillemets.", "The element “%s” must be true or false, without quotes.", ""}
	missing        = &rule{"required", "L’élément « %s » est obligatoire.", "The element “%s” is required.", ""}
)

// Formats of primitives.
var (
	badCode      = &rule{"value", "« %s » n’est pas un code : pas d’espace au début, à la fin ni en double.", "“%s” is not a code: no leading, trailing or double white space.", ""}
	badID        = &rule{"value", "« %s » n’est pas un identifiant FHIR : 1 à 64 lettres non accentuées, chiffres, tirets ou points.", "“%s” is not a FHIR id: 1 to 64 ASCII letters, digits, dashes or dots.", ""}
	badElementID = &rule{"value", "« %s » ne peut pas contenir d’espace.", "“%s” must not contain white space.", ""}
	badURI       = &rule{"value", "« %s » n’est pas un URI : il ne peut être vide ni contenir d’espace.", "“%s” is not a URI: it must not be empty nor contain white space.", ""}
	badReference = &rule{"value", "« %s » n’est pas une référence : pas d’espace.", "“%s” is not a reference: no white space.", ""}
	badOID       = &rule{"value", "« %s » n’est pas un OID sous la forme urn:oid:1.2.3.", "“%s” is not an OID in the form urn:oid:1.2.3.", ""}
	badUUID      = &rule{"value", "« %s » n’est pas un UUID sous la forme urn:uuid:… en minuscules.", "“%s” is not a UUID in the form urn:uuid:… in lower case.", ""}
	badDate      = &rule{"value", "« %s » n’est pas une date réelle sous la forme AAAA, AAAA-MM ou AAAA-MM-JJ.", "“%s” is not a real date in the form YYYY, YYYY-MM or YYYY-MM-DD.", ""}
	badDateTime  = &rule{"value", "« %s » n’est pas une date réelle ; avec une heure, les secondes et le fuseau sont obligatoires.", "“%s” is not a real date; with a time, seconds and the zone are required.", "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss(.f)(Z|+hh:mm)"}
	badInstant   = &rule{"value", "« %s » n’est pas un instant : date, heure, secondes et fuseau sont obligatoires.", "“%s” is not an instant: date, time, seconds and zone are required.", "YYYY-MM-DDThh:mm:ss(.f)(Z|+hh:mm)"}
	badTime      = &rule{"value", "« %s » n’est pas une heure sous la forme hh:mm:ss, sans fuseau.", "“%s” is not a time in the form hh:mm:ss, without zone.", ""}
	badBase64    = &rule{"value", "« %s » n’est pas du base64 valide.", "“%s” is not valid base64.", "RFC 4648 section 4, with padding"}
	badInteger   = &rule{"value", "« %s » n’est pas un entier de 32 bits.", "“%s” is not a 32-bit integer.", ""}
	badUnsigned  = &rule{"value", "« %s » n’est pas un entier de 0 à 2147483647.", "“%s” is not an integer from 0 to 2147483647.", ""}
	badPositive  = &rule{"value", "« %s » n’est pas un entier de 1 à 2147483647.", "“%s” is not an integer from 1 to 2147483647.", ""}
	emptyString  = &rule{"value", "« %s » est une chaîne vide.", "“%s” is an empty string.", "a string has at least one character that is not white space"}
	longString   = &rule{"value", "« %s » est une chaîne de plus de 1 Mio.", "“%s” is a string of more than 1 MiB.", ""}
	controlChar  = &rule{"value", "« %s » contient un caractère de contrôle.", "“%s” contains a control character.", "below U+0020 only tab, line feed and carriage return; neither U+FFFE nor U+FFFF, which XML does not have"}
	badXHTML     = &rule{"value", "« %s » n’est pas un <div> XHTML bien formé.", "“%s” is not a well-formed XHTML <div>.", "one div element in the namespace http://www.w3.org/1999/xhtml, with the entities of XML only"}
	activeXHTML  = &rule{"value", "« %s » contient autre chose que la mise en forme permise (txt-1) : ni script, ni formulaire, ni cadre, ni contenu actif.", "“%s” contains more than the formatting that is allowed (txt-1): no script, form, frame or active content.", "txt-1"}
	blankXHTML   = &rule{"invariant", "« %s » ne contient aucun texte (txt-2).", "“%s” has no content (txt-2).", "txt-2"}
)

// XML alone: what JSON cannot get wrong, or says in other words.
var (
	wrongNamespace = &rule{"structure", "« %s » n’est pas dans l’espace de noms attendu.", "“%s” is not in the namespace that is expected.", "http://hl7.org/fhir, and http://www.w3.org/1999/xhtml for the div of a narrative"}
	outOfOrder     = &rule{"structure", "« %s » n’est pas à sa place : en XML, les éléments suivent l’ordre de la définition.", "“%s” is out of place: in XML, elements come in the order of the definition.", ""}
	repeated       = &rule{"structure", "L’élément « %s » ne se répète pas.", "The element “%s” does not repeat.", ""}
	strayText      = &rule{"structure", "« %s » contient du texte : une valeur se donne dans l’attribut value.", "“%s” holds text: a value is given by the attribute value.", ""}
	strayAttribute = &rule{"structure", "« %s » porte un attribut qui n’existe pas à cet endroit.", "“%s” has an attribute that does not exist here.", "value on primitives, id on elements, url on extensions"}
	notOneResource = &rule{"structure", "« %s » contient une ressource, et une seule.", "“%s” holds one resource, and only one.", ""}
	badBoolean     = &rule{"value", "« %s » doit être true ou false.", "“%s” must be true or false.", ""}
	badDecimal     = &rule{"value", "« %s » n’est pas un nombre décimal.", "“%s” is not a decimal number.", ""}
)

// Contained resources.
var (
	nestedContained    = &rule{"invariant", "Une ressource contenue ne peut pas contenir de ressource (« %s », dom-2).", "A contained resource must not contain resources (“%s”, dom-2).", "dom-2"}
	containedMeta      = &rule{"invariant", "Une ressource contenue n’a ni version, ni date de mise à jour, ni étiquette de sécurité (« %s », dom-4 et dom-5).", "A contained resource has no version, last update or security label (“%s”, dom-4 and dom-5).", "dom-4, dom-5"}
	duplicateContained = &rule{"invariant", "Deux ressources contenues ont le même id (« %s »).", "Two contained resources have the same id (“%s”).", ""}
	unresolvedLocal    = &rule{"invariant", "« %s » désigne une ressource contenue qui n’existe pas (ref-1).", "“%s” names a contained resource that does not exist (ref-1).", "ref-1"}
	orphan             = &rule{"invariant", "Aucune référence ne pointe vers cette ressource contenue (« %s », dom-3).", "Nothing refers to this contained resource (“%s”, dom-3).", "dom-3"}
)

// report notes that the value at i, or its missing child, breaks a rule.
func (c *checker) report(i uint32, r *rule, child string) {
	if c.full() {
		return
	}
	path := c.at(i).Path()
	if child != "" {
		path += "." + child
	}
	c.issues = append(c.issues, r.at(path))
}

// at is the issue that the element of the path breaks the rule.
func (r *rule) at(path string) Issue {
	name := lastName(path)
	return Issue{
		Severity: Error, Code: r.code, Expression: path, Diagnostics: r.note,
		Text: Text{FR: fmt.Sprintf(r.fr, name), EN: fmt.Sprintf(r.en, name)},
	}
}

// reportCode notes a code outside of its required value set.
func (c *checker) reportCode(i uint32, row *element) {
	if c.full() {
		return
	}
	b := &bindingTable[row.binding]
	list := ""
	if len(b.codes) <= 16 {
		list = " (" + strings.Join(b.codes, ", ") + ")"
	}
	path := c.at(i).Path()
	name := lastName(path)
	c.issues = append(c.issues, Issue{
		Severity: Error, Code: "code-invalid", Expression: path, Diagnostics: "required value set " + b.url,
		Text: Text{
			FR: fmt.Sprintf("« %s » n’est pas l’un des codes permis%s.", name, list),
			EN: fmt.Sprintf("“%s” is not one of the codes allowed%s.", name, list),
		},
	})
}

// lastName returns the last name of a path, without index.
func lastName(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	name, _, _ = strings.Cut(name, "[")
	return name
}

package fhir

import (
	"encoding/json"
	"fmt"
	"slices"
)

// OperationDef is an operation of a type, as the table has it.
type OperationDef struct {
	// Name is its code, without the $. An operation of the same name on another
	// type is another one.
	Name string
	// ID is that of its OperationDefinition; "" for an operation of FHIR itself.
	ID string
	// Standard is the canonical URL of an operation of FHIR itself.
	Standard string
	// On is the resource type.
	On             string
	Type, Instance bool // on the type, on one resource
	// Reads is that the operation changes nothing: it is asked by GET too.
	Reads        bool
	Title, About Text
	Params       []OperationParam
}

// OperationParam is a parameter of an operation, or a part of one; each is given
// once at most.
type OperationParam struct {
	Name string
	// Type is a data type or a resource type; "" of a parameter that has parts.
	Type string
	Min  int // 0 or 1
	// Many is that an answer may have it, or a parameter that part, several times.
	Many bool
	Out  bool
	// InURL is that the URL may give it, beside a body that is a resource.
	InURL bool
	About Text
	Parts []OperationParam
}

// Definition returns the canonical URL of the operation on a server of that base.
func (o *OperationDef) Definition(base string) string {
	if o.Standard != "" {
		return o.Standard
	}
	return base + "/OperationDefinition/" + o.ID
}

// Takes returns the parameter of that name that the operation is given, nil if it
// takes none.
func (o *OperationDef) Takes(name string) *OperationParam {
	for i := range o.Params {
		if p := &o.Params[i]; p.Name == name && !p.Out {
			return p
		}
	}
	return nil
}

// operationsOn returns the operations of a type, in the order of the table.
func operationsOn(typ string) []OperationDef {
	return slices.DeleteFunc(slices.Clone(operationTable), func(o OperationDef) bool { return o.On != typ })
}

// OperationOn returns the operation of a type and name.
func OperationOn(typ, name string) (OperationDef, bool) {
	for _, o := range operationTable {
		if o.On == typ && o.Name == name {
			return o, true
		}
	}
	return OperationDef{}, false
}

// OperationDefinition returns the OperationDefinition of that id as JSON; false if
// there is none. Like Capability it comes from the table alone and tells nothing of
// patients. Titles and descriptions are French, with an English translation beside
// (R4 languages.html#ext).
func OperationDefinition(base, id string) ([]byte, bool) {
	i := slices.IndexFunc(operationTable, func(o OperationDef) bool { return o.ID == id && id != "" })
	if i < 0 {
		return nil, false
	}
	b, err := json.Marshal(operationTable[i].resource(base))
	if err != nil {
		panic(fmt.Sprintf("fhir: an operation cannot be written: %v", err)) // strings always can
	}
	return b, true
}

type operationJSON struct {
	ResourceType  string          `json:"resourceType"`
	ID            string          `json:"id"`
	Language      string          `json:"language"`
	URL           string          `json:"url"`
	Name          string          `json:"name"`
	Title         string          `json:"title"`
	TitleEN       translation     `json:"_title"`
	Status        string          `json:"status"`
	Kind          string          `json:"kind"`
	Date          string          `json:"date"`
	Publisher     string          `json:"publisher"`
	Description   string          `json:"description"`
	DescriptionEN translation     `json:"_description"`
	AffectsState  bool            `json:"affectsState"`
	Code          string          `json:"code"`
	Resource      []string        `json:"resource"`
	System        bool            `json:"system"`
	Type          bool            `json:"type"`
	Instance      bool            `json:"instance"`
	Parameter     []operationPart `json:"parameter"`
}

type operationPart struct {
	Name            string      `json:"name"`
	Use             string      `json:"use"`
	Min             int         `json:"min"`
	Max             string      `json:"max"`
	Documentation   string      `json:"documentation"`
	DocumentationEN translation `json:"_documentation"`
	Type            string      `json:"type,omitempty"`

	Part []operationPart `json:"part,omitempty"`
}

// translation is the extension of an element that is said in another language.
type translation struct {
	Extension [1]translated `json:"extension"`
}

type translated struct {
	URL       string             `json:"url"`
	Extension [2]translationPart `json:"extension"`
}

type translationPart struct {
	URL     string `json:"url"`
	Code    string `json:"valueCode,omitempty"`
	Content string `json:"valueString,omitempty"`
}

func english(t Text) translation {
	return translation{[1]translated{{
		URL:       "http://hl7.org/fhir/StructureDefinition/translation",
		Extension: [2]translationPart{{URL: "lang", Code: "en"}, {URL: "content", Content: t.EN}},
	}}}
}

func (o *OperationDef) resource(base string) operationJSON {
	r := operationJSON{
		ResourceType: "OperationDefinition", ID: o.ID, Language: "fr",
		URL: o.Definition(base), Name: modelName(o.ID), Title: o.Title.FR, TitleEN: english(o.Title),
		Status: "active", Kind: "operation", Date: tableDate, Publisher: "OpenDMP",
		Description: o.About.FR, DescriptionEN: english(o.About), AffectsState: !o.Reads,
		Code: o.Name, Resource: []string{o.On}, Type: o.Type, Instance: o.Instance,
	}
	for _, p := range o.Params {
		r.Parameter = append(r.Parameter, p.resource(p.Out))
	}
	return r
}

// resource writes a parameter, or a part of one, which is given as the whole is.
func (p *OperationParam) resource(out bool) operationPart {
	r := operationPart{
		Name: p.Name, Use: "in", Min: p.Min, Max: "1", Documentation: p.About.FR, DocumentationEN: english(p.About), Type: p.Type,
	}
	if out {
		r.Use = "out"
	}
	if p.Many {
		r.Max = "*"
	}
	for _, part := range p.Parts {
		r.Part = append(r.Part, part.resource(out))
	}
	return r
}

// modelName turns an id into a name that a program can use (invariant opd-0):
// "dmp-fermer" into "DmpFermer".
func modelName(id string) string {
	var name []byte
	upper := true
	for _, c := range []byte(id) {
		switch {
		case c == '-':
			upper = true
			continue
		case upper && c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		}
		name, upper = append(name, c), false
	}
	return string(name)
}

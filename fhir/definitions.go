package fhir

import (
	"slices"
	"strings"
)

//go:generate go run ./internal/gendefs -in $DEFINITIONS -others $RESOURCES -out definitions_gen.go

// typeID is the row of a type in typeTable. Rows are grouped: primitives below
// firstComplex, data types below firstResource, resources below firstBackbone,
// backbone elements below firstForeign. The foreign ones are the resources that
// we do not handle, with their backbone elements: XML alone reads them.
type typeID uint16

// noType is the type of what the table does not know.
const noType typeID = 0xffff

type typeKind uint8

const (
	kindPrimitive typeKind = iota
	kindComplex
	kindResource
	kindBackbone
	kindForeign
)

// typeDef is one type of the official definitions: a primitive, a data type, a
// resource, or the element of a resource that has elements ("Patient.contact").
type typeDef struct {
	name     string
	kind     typeKind
	abstract bool
	first    uint16 // its elements are elementTable[first:first+count]
	count    uint16
	required uint64 // the bits of the elements with min = 1
}

// element is one JSON member of a type. A choice has one row per type, all with
// the same bit.
type element struct {
	name    string // as in JSON: "birthDate", "valueString"
	typ     typeID
	bit     uint8 // its number in the type
	choice  uint8 // how many letters of the name come before the type; 0: no choice
	flags   elementFlags
	binding uint8 // its row in bindingTable; 0: no required code
}

type elementFlags uint8

const (
	flagMany      elementFlags = 1 << iota // max = *
	flagModifier                           // isModifier
	flagSummary                            // isSummary
	flagAttribute                          // an attribute in XML; it takes no extensions
)

// pathName is the name of the element in FHIRPath: without the type of a choice.
func (e *element) pathName() string {
	if e.choice > 0 {
		return e.name[:e.choice]
	}
	return e.name
}

// binding is the codes of a required value set.
type binding struct {
	url   string
	codes []string // sorted
}

func (b *binding) has(code string) bool {
	_, found := slices.BinarySearch(b.codes, code)
	return found
}

func (t typeID) def() *typeDef { return &typeTable[t] }

func (t typeID) primitive() bool { return t < firstComplex }

// resource tells whether t is the type of a resource, of any or of one.
func (t typeID) resource() bool {
	d := t.def()
	return d.kind == kindResource || d.kind == kindForeign && !strings.Contains(d.name, ".")
}

// elements returns the rows of the type, in the order of the definitions.
func (t typeID) elements() []element {
	d := t.def()
	return elementTable[d.first : d.first+d.count]
}

// element returns the row of the JSON member name, nil if the type has none.
func (t typeID) element(name string) *element {
	rows := t.elements()
	for i := range rows {
		if rows[i].name == name {
			return &rows[i]
		}
	}
	return nil
}

// resourceNamed returns the row of a concrete resource type, noType if the table
// does not have it.
func resourceNamed(name string) typeID {
	i, found := slices.BinarySearchFunc(typeTable[firstResource:firstBackbone], name, func(d typeDef, name string) int {
		return strings.Compare(d.name, name)
	})
	t := firstResource + typeID(i)
	if !found || t.def().abstract {
		return noType
	}
	return t
}

// xmlResourceNamed returns the row of a concrete resource type of R4, handled or
// foreign, noType if there is none.
func xmlResourceNamed[T string | []byte](name T) typeID {
	if t := resourceNamed(string(name)); t != noType {
		return t
	}
	i, found := slices.BinarySearchFunc(typeTable[firstForeign:], string(name), func(d typeDef, name string) int {
		return strings.Compare(d.name, name)
	})
	if !found || strings.Contains(string(name), ".") {
		return noType
	}
	return firstForeign + typeID(i)
}

// KnownResource tells whether R4 has a resource type of that name, one that
// resources have: not Resource nor DomainResource.
func KnownResource(name string) bool {
	return bindingTable[bindingResourceTypes].has(name) && name != "Resource" && name != "DomainResource"
}

package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"opendmp/fhir"
	"opendmp/sandbox"
)

// escaped writes a value of a query, with the names of the worlds left legible.
func escaped(v string) string {
	return strings.NewReplacer("%7B%7B", "{{", "%7D%7D", "}}", "%2F", "/").Replace(url.QueryEscape(v))
}

func get(path string) ask { return ask{method: http.MethodGet, path: path} }

// value draws a value of a search parameter.
func (o *pool) value(typ string, p fhir.Param) string {
	switch {
	case p.Name == "_id":
		return o.id(typ)
	case p.Name == "status":
		return o.pick("current", "superseded", "entered-in-error", "active", "inactive", "rien")
	case p.Name == "isArchived":
		return o.pick("true", "false")
	case p.Name == "security-label":
		return o.pick("MASQUE_PS", "INVISIBLE_PATIENT", "N", visibility+"|MASQUE_PS", visibility+"|", "|MASQUE_PS", visibility+"|INVISIBLE_REPRESENTANTS_LEGAUX")
	case p.Name == "identifier" && typ == "Patient", strings.HasPrefix(p.Name, "patient."), strings.HasPrefix(p.Name, "subject."):
		return identOf(o.pick(o.focus, o.focus, "patient-basile", "patient-farid"))
	case strings.HasSuffix(p.Name, "identifier") && strings.Contains(p.Name, "."):
		return o.pick(o.actors...)
	case p.Name == "identifier":
		return o.pick(o.idents...)
	case p.Type == fhir.DateParam:
		return o.date()
	case p.Type == fhir.TokenParam:
		return o.coding(p.Name)
	case p.Type == fhir.StringParam:
		element := p.Name[strings.LastIndexByte(p.Name, '.')+1:]
		text := o.pick(o.texts[element]...)
		return o.pick(text, text[:min(3, len(text))], strings.ToUpper(text), strings.ToLower(text))
	case p.Name == "patient" || p.Name == "subject":
		return "Patient/" + o.id("Patient")
	}
	return o.pick("DocumentReference/"+o.doc(), o.doc(), "List/"+o.part("List"), "Patient/"+o.id("Patient"), worldsBase+"/DocumentReference/"+o.doc())
}

// named names the record that a search is in: by id, by INS, or not.
func (o *pool) named(typ string) string {
	if typ == "Patient" {
		return "identifier=" + escaped(identOf(o.focus))
	}
	switch o.r.IntN(6) {
	case 0:
		return "patient.identifier=" + escaped(identOf(o.focus))
	case 1:
		return "patient:identifier=" + escaped(identOf(o.focus))
	}
	return "patient=Patient/{{" + o.focus + "}}"
}

// searches asks for every parameter of every type with every modifier, for every
// order and every control parameter.
func (o *pool) searches() []ask {
	var asks []ask
	types := fhir.Types()
	slices.SortStableFunc(types, func(a, b string) int { // the history while it is short
		return strings.Count(b, "AuditEvent") - strings.Count(a, "AuditEvent")
	})
	for _, typ := range types {
		if !fhir.Supports(typ, fhir.Search) {
			continue
		}
		add := func(query string) { asks = append(asks, get(typ+"?"+query)) }
		params := fhir.Params(typ)
		for _, p := range params {
			for _, modifier := range []string{"", ":not", ":missing", ":exact", ":contains", ":identifier", ":in", ":not-in"} {
				value := o.value(typ, p)
				if modifier == ":missing" {
					value = o.pick("true", "false")
				}
				if strings.HasSuffix(modifier, "in") {
					value = o.pick("http://hl7.org/fhir/ValueSet/document-reference-status", "https://profiles.ihe.net/ITI/MHD/ValueSet/DocumentReferenceStats",
						"https://profiles.ihe.net/ITI/MHD/ValueSet/MHDlistTypesVS", "urn:rien")
				}
				query := p.Name + modifier + "=" + escaped(value)
				if !o.worth(typ, p.Name, modifier) {
					continue
				}
				add(o.named(typ) + "&" + query)
				if p.Name == "subject" || p.Name == "subject.identifier" { // of another patient it is refused
					add("subject=Patient/{{" + o.focus + "}}&subject.identifier=" + escaped(identOf(o.focus)))
				}
				if modifier == "" && o.r.IntN(4) == 0 {
					add(query) // names a record, or none
				}
			}
			if p.Sortable {
				add(o.named(typ) + "&_count=" + o.pick("2", "3") + o.pick("", "&_total=accurate") + "&_sort=" + o.pick("", "-") + p.Name)
			}
		}
		for _, control := range []string{
			"_total=accurate", "_total=none", "_total=estimate", "_summary=count", "_summary=true", "_summary=false", "_summary=data",
			"_count=0", "_count=1", "_count=3&_total=accurate", "_count=200", "_count=201", "_count=-1", "_elements=id", "_format=json", "_format=xml",
			"_pretty=true", "_page=rien", "_include=*", "_revinclude=*", "_elements=id,status,entry", "_summary=text", "_has:Provenance:target:agent=x", "_sort=rien", "inconnu=1", "patient=Patient/inconnu", "patient=Patient/{{patient-basile}}",
		} {
			if o.r.IntN(2) == 0 && (typ == "DocumentReference" || o.r.IntN(3) == 0) {
				add(o.named(typ) + "&" + control)
			}
		}
		asks = append(asks, o.inclusions(typ)...)
		asks = append(asks, get(typ+"?"+o.named(typ)+"&inconnu=1&_sort=rien,_lastUpdated&_count=2").with("Prefer", "handling=lenient"))
		for _, patient := range []string{"patient-basile", "patient-david", "patient-farid"} {
			add("patient.identifier=" + escaped(identOf(patient)))
			add("patient=Patient/{{" + patient + "}}")
		}
		for range 2 { // several parameters at once, and by POST
			var query []string
			for range 2 {
				p := params[o.r.IntN(len(params))]
				query = append(query, p.Name+"="+escaped(o.value(typ, p)))
			}
			add(o.named(typ) + "&" + strings.Join(query, "&"))
			asks = append(asks, ask{method: http.MethodPost, path: typ + "/_search", mime: "application/x-www-form-urlencoded", body: o.named(typ) + "&" + query[0]})
		}
	}
	return asks
}

// inclusions asks for each inclusion of a type, over pages, by what may be hidden
// and iterating.
func (o *pool) inclusions(typ string) []ask {
	var asks []ask
	var all []string
	for _, value := range fhir.Includes(typ, false) {
		all = append(all, "_include="+value, "_include:iterate="+value)
	}
	for _, value := range fhir.Includes(typ, true) {
		all = append(all, "_revinclude="+value, "_revinclude:iterate="+value)
	}
	for _, one := range all {
		window := o.pick("", "&_count=2", "&_total=accurate&_count=1", "&_summary=true", "&_summary=count")
		asks = append(asks, get(typ+"?"+o.named(typ)+"&"+one+window))
	}
	if len(all) > 0 {
		everything := strings.Join(all[:min(len(all), fhir.MaxIncludes)], "&")
		asks = append(asks, get(typ+"?"+o.named(typ)+"&"+everything),
			get(typ+"?_id="+o.id(typ)+"&"+everything), get(typ+"?identifier="+escaped(o.pick(o.idents...))+"&"+o.pick(all...)))
	}
	return asks
}

// cheap draws a look at something other than the history, which grows.
func (o *pool) cheap(looks []ask) ask {
	for {
		if a := looks[o.r.IntN(len(looks))]; !strings.HasPrefix(a.path, "AuditEvent") {
			return a
		}
	}
}

// worth tells whether to ask for a parameter with a modifier: without one always;
// of those that there are a quarter, since each caller draws others; and of those
// that are refused before a record is looked at a few.
func (o *pool) worth(typ, param, modifier string) bool {
	if modifier == "" {
		return true
	}
	if _, err := fhir.ParseQuery(typ, param+modifier+"=true"); err != nil {
		return o.r.IntN(20) == 0
	}
	return o.r.IntN(4) == 0
}

// traits asks for patients by name, birth date and sex, all or some of them.
func (o *pool) traits() []ask {
	var asks []ask
	for _, key := range []string{o.focus, "patient-basile", "patient-farid"} {
		p, _ := sandbox.Lookup(key)
		all := []string{"family=" + escaped(p.Family), "given=" + escaped(p.Given), "birthdate=" + p.Patient.BirthDate, "gender=" + p.Patient.Gender}
		asks = append(asks, get("Patient?"+strings.Join(all, "&")), get("Patient?"+strings.Join(all[:3], "&")),
			get("Patient?"+strings.Join(all[1:], "&")), get("Patient?"+strings.Join(all[:2], "&")))
	}
	return asks
}

// reads asks for every type by id, in every way that reads.
func (o *pool) reads() []ask {
	asks := o.traits()
	for _, typ := range fhir.Types() {
		often := 1
		if typ == "DocumentReference" || typ == "Binary" || typ == "List" {
			often = 3
		}
		for range often {
			of := o.readsOf(typ + "/" + o.id(typ))
			asks = append(asks, of[0], of[3], of[4])
			for range 3 {
				asks = append(asks, of[o.r.IntN(len(of))])
			}
		}
	}
	return asks
}

func (o *pool) readsOf(ref string) []ask {
	read := get(ref)
	version := fmt.Sprint(1 + o.r.IntN(5))
	return []ask{
		read,
		{method: http.MethodHead, path: ref},
		{method: http.MethodOptions, path: ref},
		get(ref + "/_history"), get(ref + "/_history/" + version), get(ref + "/_history/0"),
		read.with("If-None-Match", `W/"`+version+`"`),
		read.with("If-None-Match", `*`),
		read.with("If-Modified-Since", o.dates[o.r.IntN(len(o.dates))].Format(http.TimeFormat)),
		read.with("Accept-Language", o.pick("en", "fr", "en;q=0.5, fr;q=0.1")),
		read.with("Accept", o.pick("application/pdf", "*/*", "application/xml", "n’importe quoi")),
		read.with("Accept", "*/*;q=0.1").with("Range", "bytes=0-9"),
		read.with("Prefer", "return=minimal"),
		get(ref + "/_history?_since=" + escaped(o.dates[o.r.IntN(len(o.dates))].Format("2006-01-02T15:04:05.000Z07:00"))), get(ref + "/_history?_count=" + o.pick("0", "1", "2", "201")),
		get(ref + "/_history?_at=2026"), get(ref + "?_summary=" + o.pick("true", "text", "data", "count")), get(ref + "?_elements=" + o.pick("id", "status,relatesTo", "rien")),
		get(ref + "?_format=xml"), get(ref + "?_pretty=true"), get(ref + "?_format=" + o.pick("json", "rien")),
	}
}

// batch mixes fifty reads and searches.
func (o *pool) batch(from []ask) ask {
	var entries []any
	for len(entries) < 50 {
		a := from[o.r.IntN(len(from))]
		if a.method == http.MethodGet {
			entries = append(entries, object{"request": object{"method": "GET", "url": a.path}})
		}
	}
	return ask{method: http.MethodPost, mime: mediaJSON, body: encodeJSON(object{"resourceType": "Bundle", "type": "batch", "entry": entries})}
}

package dossier_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"opendmp/auth"
	"opendmp/dossier"
	"opendmp/fhir"
	"opendmp/store"
)

// hiding is a dossier of which somebody sees nothing: one document is masked, one
// is hidden from the patient, and whoever probes sees neither.
type hiding struct {
	*scene
	calls          *counted
	masked, secret document
}

// document is what one document goes by.
type document struct{ id, binary, list, oid, event string }

const firstOID = "1.2.250.1.213.1.4.8.99999.2"

func newHiding(t testing.TB) *hiding {
	c := &counted{}
	c.reset()
	h := newHouseOver(t, func(s store.Store) store.Store { c.Store = s; return c }, func(c *dossier.Config) { c.CacheRows = 1 })
	s := &hiding{scene: &scene{house: h, patient: h.openFor(published)}, calls: c}
	s.author = h.doctor("899700218896", "1750000003")
	s.name(martin)
	s.masked, s.secret = s.deposit("101"), s.deposit("102")
	s.me().patch("DocumentReference/"+s.masked.id, label("MASQUE_PS")).is(200)
	s.author.patch("DocumentReference/"+s.secret.id, label("INVISIBLE_PATIENT")).is(200)
	s.now = s.now.Add(time.Second)
	traitant := s.doctor(martin, "1750000003")
	traitant.get("DocumentReference/" + s.secret.id).is(200)
	event := traitant.get("AuditEvent?patient=" + s.patient + "&_count=1").is(200).at("entry.0.resource.id")
	s.masked.event, s.secret.event = event, event
	return s
}

// deposit pushes the published example under an identifier of its own.
func (s *hiding) deposit(number string) document {
	push := strings.ReplaceAll(fixture(s.t, "pdsm4dmp/Bundle-example-td2-iti65-lot-soumission.json"), "99999.2", "99999."+number)
	a := s.author.post("", push).is(200)
	id := func(n int) string {
		return strings.Split(a.at(fmt.Sprintf("entry.%d.response.location", n)), "/")[1]
	}
	return document{list: id(0), id: id(1), binary: id(2), oid: strings.Replace(firstOID, "99999.2", "99999."+number, 1)}
}

// system makes the claims of a caller of a kind in a structure.
func system(kind, structure, person, purposeSystem, purpose string) auth.Claims {
	c := auth.Claims{Subject: kind, Client: "test", DMP: auth.DMP{Kind: kind}}
	c.Extensions.IUA = auth.IUA{SubjectName: kind, Provider: person, Purpose: []auth.Coding{{System: purposeSystem, Code: purpose}}}
	if structure != "" {
		id := systemStructure + "|" + structure
		c.Extensions.IUA.Organization, c.Extensions.IUA.OrganizationID, c.DMP.Structures = []string{kind}, []string{id}, []string{id}
	}
	return c
}

// prober is a caller and the document that is hidden from them.
type prober struct {
	actor
	hidden document
}

// probers are every kind of caller.
func (s *hiding) probers() map[string]prober {
	const reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
	professional := func(profession string, change func(*auth.Claims)) actor {
		c := professional("8899900000097", profession, "1750000001")
		if change != nil {
			change(&c)
		}
		return s.as(c)
	}
	operator := system("operator", "", "", reason, "HSYSADMIN")
	operator.Extensions.IUA.PersonID = auth.SystemAccount + "|op"
	emergency := s.doctor(roche, "1750000002")
	emergency.post("Patient/"+s.patient+"/$bris-de-glace", urgent).is(200)
	all := map[string]actor{
		"professional":    s.reader(),
		"not authorised":  s.doctor("8899900000098", "1750000004"),
		"pharmacist":      professional("21", nil),
		"nurse":           professional("60", nil),
		"student":         professional("10", func(c *auth.Claims) { c.DMP.Student = true }),
		"occupational":    professional("10", func(c *auth.Claims) { c.DMP.Occupational = true }),
		"emergency":       emergency,
		"regulator":       professional("10", func(c *auth.Claims) { c.DMP.Kind = "regulator"; c.Extensions.IUA.Purpose[0].Code = "centre_15" }),
		"establishment":   s.establishment("1750000001"),
		"administrative":  s.as(system("administrative", "1750000001", systemPerson+"|3750000001/SEC01", reason, "PATADMIN")),
		"feeder":          s.as(system("insurance-feeder", "1750000009", "", reason, "HPAYMT")),
		"operator":        s.as(operator),
		"representative":  s.account("personne"),
		"another patient": s.house.patient(farid),
	}
	out := map[string]prober{"patient": {s.me(), s.secret}}
	for name, a := range all {
		out[name] = prober{a, s.masked}
	}
	return out
}

const urgent = `{"resourceType":"Parameters","parameter":[
	{"name":"circonstance","valueCoding":{"system":"urn:opendmp:circonstance-urgence","code":"hors-etat-de-consentir"}},
	{"name":"motif","valueString":"Patiente inconsciente aux urgences"}]}`

// probe asks for something by what names it, and nothing else names its dossier.
type probe func(a actor, d document) answer

const archived = `[{"op":"replace","path":"/extension/0/valueBoolean","value":true}]`

var probes = map[string]probe{
	"read":    func(a actor, d document) answer { return a.get("DocumentReference/" + d.id) },
	"vread":   func(a actor, d document) answer { return a.get("DocumentReference/" + d.id + "/_history/1") },
	"history": func(a actor, d document) answer { return a.get("DocumentReference/" + d.id + "/_history") },
	"binary":  func(a actor, d document) answer { return a.get("Binary/" + d.binary) },
	"raw binary": func(a actor, d document) answer {
		return a.do("GET", "Binary/"+d.binary, "", "", func(r *dossier.Request) { r.Raw = true })
	},
	"list":      func(a actor, d document) answer { return a.get("List/" + d.list) },
	"list, old": func(a actor, d document) answer { return a.get("List/" + d.list + "/_history/1") },
	"etag": func(a actor, d document) answer {
		return a.do("GET", "DocumentReference/"+d.id, "", "", func(r *dossier.Request) { r.IfNoneMatch = `W/"1"` })
	},
	"patch": func(a actor, d document) answer { return a.patch("DocumentReference/"+d.id, archived) },
	"patch, tag": func(a actor, d document) answer {
		return a.do("PATCH", "DocumentReference/"+d.id, "application/json-patch+json", archived, func(r *dossier.Request) { r.IfMatch = `W/"1"` })
	},
	"patch list": func(a actor, d document) answer { return a.patch("List/"+d.list, archived) },
	"delete":     func(a actor, d document) answer { return a.do("DELETE", "DocumentReference/"+d.id, "", "") },
	"conditional": func(a actor, d document) answer {
		return a.patch("DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:"+d.oid, archived)
	},
	"by id": func(a actor, d document) answer { return a.patch("DocumentReference?_id="+d.id, archived) },
	"_id":   func(a actor, d document) answer { return a.get("DocumentReference?_id=" + d.id) },
	"identifier": func(a actor, d document) answer {
		return a.get("DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:" + d.oid)
	},
	"event":   func(a actor, d document) answer { return a.get("AuditEvent/" + d.event) },
	"explain": func(a actor, d document) answer { return a.get("DocumentReference/" + d.id + "/$expliquer") },
	"destroy": func(a actor, d document) answer {
		return a.post("DocumentReference/"+d.id+"/$detruire", `{"resourceType":"Parameters","parameter":[{"name":"confirmation","valueString":"`+d.id+`"}]}`)
	},
}

// cost is what one probe made the server do.
type cost struct {
	status, events int
	calls          map[string]int
	body           string
}

func (s *hiding) cost(p probe, a actor, d document) cost {
	s.calls.reset()
	got := p(a, d)
	return cost{got.Status(), s.calls.events, maps.Clone(s.calls.calls), string(got.body)}
}

// unknown is a document that never was.
func unknown(n int) document {
	id := fmt.Sprintf("inconnu%d", n)
	return document{id: id, binary: id, list: id, event: id, oid: fmt.Sprintf("1.2.250.1.213.1.4.8.99998.%d", n)}
}

// nameless is an answer without what named the document that was asked for.
func (d document) nameless(body string) string {
	return strings.NewReplacer(d.id, "X", d.binary, "X", d.list, "X", d.event, "X", d.oid, "X").Replace(body)
}

// What is hidden and what never existed make the same store calls, of the same
// kinds, and one durable event each: for every way to ask and every kind of
// caller, asked for the first time and again, of a dossier that is at hand and of
// one that has to be read.
func TestHiddenCostsWhatUnknownCosts(t *testing.T) {
	s := newHiding(t)
	s.openFor(farid) // that of the other patient, and what pushes the first out of memory
	n := 0
	for who, p := range s.probers() {
		for name, probe := range probes {
			for at, looked := range map[string]fhir.Ident{"at hand": published, "away": farid} {
				t.Run(who+"/"+name+"/"+at, func(t *testing.T) {
					n++
					for range 2 {
						never := unknown(n)
						beside := "DocumentReference?patient.identifier=" + looked.System + "|" + looked.Value
						s.author.get(beside)
						hidden := s.cost(probe, p.actor, p.hidden)
						s.author.get(beside)
						absent := s.cost(probe, p.actor, never)
						if !maps.Equal(hidden.calls, absent.calls) || hidden.events != 1 || absent.events != 1 {
							t.Errorf("hidden: %d events, %v\nunknown: %d events, %v; want the same, and one event each", hidden.events, hidden.calls, absent.events, absent.calls)
						}
						if hidden.status != absent.status || p.hidden.nameless(hidden.body) != never.nameless(absent.body) {
							t.Errorf("hidden %d %s\nunknown %d %s", hidden.status, hidden.body, absent.status, absent.body)
						}
						if strings.Contains(hidden.body, `"resource"`) {
							t.Fatalf("not hidden: %d %s", hidden.status, hidden.body)
						}
					}
				})
			}
		}
	}
}

// BenchmarkHiddenOrUnknown reports the median times of a read of what is hidden
// and of what never was, asked in turn.
func BenchmarkHiddenOrUnknown(b *testing.B) {
	s := newHiding(b)
	reader := s.reader()
	times := map[string][]time.Duration{}
	for n := 0; b.Loop(); n++ {
		for name, d := range map[string]document{"hidden": s.masked, "unknown": unknown(n)} {
			began := time.Now()
			reader.get("DocumentReference/" + d.id)
			times[name] = append(times[name], time.Since(began))
		}
	}
	for name, all := range times {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Nanoseconds()), name+"-median-ns")
	}
}

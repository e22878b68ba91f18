package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The attacks on what reads requests, black box, a named test each (SECURITY §6.3,
// Parsing, injection, denial of service).
func TestParsing(t *testing.T) {
	s := besiege(t)
	run := func(name string, attack func(*siege, *testing.T)) {
		t.Run(name, func(t *testing.T) { attack(s.in(t), t) })
	}
	run("IN02 a name that is there twice, in another case or of a database is refused", namesRefused)
	run("IN03 what is not UTF-8 text is refused", textRefused)
	run("IN05 a body that is too large is refused, one without end is cut", largeBodies)
	run("IN06 a compressed body is refused unread", compressedBodies)
	run("IN08 a search of many values, parameters or keys is refused", costlySearches)
	run("IN09 a search takes no pattern", patternsAreText)
	run("IN11 values of a database are no values of FHIR", extendedJSON)
	run("IN12 keys of _sort and links of pages are the server's", sortKeysAndPages)
	run("IN14 what two servers may read in two ways is refused", smuggled)
	run("IN15 who drips holds nobody up", slowClients)
	run("IN17 no method but that of the request line", methodOverride)
	run("IN18 a path is taken literally", pathTricks)
	run("IN20 a line of the log is one line", logInjection)
	run("IN21 a patch tells nothing of what is hidden, and is bounded", hostilePatches)
	run("IN23 a storm of writes on one resource loses none", putStorm)
	run("IN24 a stale If-Match writes nothing", staleWrites)
	run("IN26 dates at the edges are refused or kept", edgesOfTime)
}

const fhirJSONType = "application/fhir+json"

func namesRefused(s *siege, t *testing.T) {
	p := s.as("patient-alix")
	for _, members := range []string{
		`"status":"active","status":"inactive"`, `"status":"active","Status":"inactive"`, `"STATUS":"active"`, `"st\u0061tus":"active","status":"active"`,
		`"__proto__":{"status":"active"}`, `"constructor":{}`, `"$where":"1"`, `"status":{"$ne":""}`, `"patient.reference":"Patient/x"`, `"$set":{"status":"active"}`, `"_status":1,"status":"active"`,
	} {
		p.post("Consent", []byte(`{"resourceType":"Consent",`+members+`}`)).is(400)
		p.post("", []byte(`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Consent",`+members+`},"request":{"method":"POST","url":"Consent"}}]}`)).is(400)
	}
	for _, query := range []string{"$where=1", "status[$ne]=x", "status.$ne=x", "__proto__=1", "STATUS=active", "status%00=active"} {
		p.get("Consent?patient=" + s.patient("patient-alix") + "&" + query).is(400)
	}
}

func textRefused(s *siege, t *testing.T) {
	p := s.as("patient-alix")
	const begin, end = `{"resourceType":"Consent","language":"`, `"}`
	for name, body := range map[string]string{
		"invalid UTF-8": begin + "\xff" + end, "overlong": begin + "\xc0\xaf" + end, "half a surrogate": begin + `\ud800` + end, "surrogates the wrong way": begin + `\udc00\ud800` + end,
		"byte order mark": "\ufeff" + begin + "fr" + end, "NUL": begin + "\x00" + end, "NUL escaped": begin + `\u0000` + end, "UTF-16": "\xff\xfe{\x00}\x00", "control": begin + "\x1f" + end,
	} {
		if got := p.post("Consent", []byte(body)); got.status != 400 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	p.do(http.MethodPost, "Consent", fhirJSONType+"; charset=iso-8859-1", []byte(begin+"fr"+end)).is(415)
	for _, query := range []string{"%ff", "%c0%af", "%00", "%", "%g0", "%ed%a0%80"} {
		p.get("DocumentReference?patient=" + s.patient("patient-alix") + "&type=" + query).is(400)
	}
}

func largeBodies(s *siege, t *testing.T) {
	p := s.as("patient-alix")
	p.do(http.MethodPatch, "DocumentReference/x", "application/json-patch+json", bytes.Repeat([]byte(" "), 1<<20+1)).is(413)
	p.post("", bytes.Repeat([]byte(" "), 32<<20+1)).is(413)
	token, err := personaToken(s.signer, "patient-alix", "", "")
	check(t, err)
	head := "POST /fhir HTTP/1.1\r\nHost: " + s.host() + "\r\nAuthorization: Bearer " + token + "\r\nContent-Type: " + fhirJSONType + "\r\n"
	c := s.dial()
	_, err = io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\n")
	check(t, err)
	go func() { // until the server closes
		chunk := []byte("10000\r\n" + strings.Repeat(" ", 0x10000) + "\r\n")
		for range 2000 {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}()
	if status := firstLine(c); !strings.Contains(status, "413") {
		t.Errorf("a body without end: %q", status)
	}
	for range 50 { // who announces and does not send
		_, err := io.WriteString(s.dial(), head+"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
		check(t, err)
	}
	s.as("patient-alix").get("Patient/" + s.patient("patient-alix")).is(200)
}

func compressedBodies(s *siege, t *testing.T) {
	for _, coding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "x-gzip", "identity, gzip"} {
		got := s.as("patient-alix").with("Content-Encoding", coding).post("", []byte("\x1f\x8b\x08\x00"))
		if got.status != 415 {
			t.Errorf("%s: %d", coding, got.status)
		}
	}
}

func costlySearches(s *siege, t *testing.T) {
	in := "DocumentReference?patient=" + s.patient("patient-alix")
	for name, query := range map[string]string{
		"10,000 values": "&type=" + strings.Repeat("a,", 1500) + "a", "200 parameters": strings.Repeat("&type=a", 200), "a page of a billion": "&_count=1000000000",
		"a negative page": "&_count=-1", "50 keys": "&_sort=" + strings.Repeat("date,", 49) + "date", "a long chain": "&author.organization.partOf.name=x",
		"_has": "&_has:Provenance:target:agent=x", "_filter": "&_filter=status+eq+current",
	} {
		start := time.Now()
		got := s.as("patient-alix").get(in + query)
		if got.status != 400 && got.status != 414 && got.status != 431 {
			t.Errorf("%s: %d", name, got.status)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
	form := "patient=" + s.patient("patient-alix") + "&type=" + strings.Repeat("a,", 10_000) + "a"
	s.as("patient-alix").do(http.MethodPost, "DocumentReference/_search", "application/x-www-form-urlencoded", []byte(form)).is(400)
}

func patternsAreText(s *siege, t *testing.T) {
	for _, pattern := range []string{"(a+)+$", ".*", "^", "[a-z]{1,100}{1,100}", `\\`, "%", "_", strings.Repeat("(a*)*", 100) + "b"} {
		for _, param := range []string{"author.family:contains", "author.given:exact", "author.family"} {
			start := time.Now()
			got := s.as("patient-alix").get("DocumentReference?patient=" + s.patient("patient-alix") + "&" + param + "=" + url.QueryEscape(pattern)).is(200)
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s=%s: %v", param, pattern, took)
			}
			got.has("total", "0")
		}
	}
}

func extendedJSON(s *siege, t *testing.T) {
	for _, value := range []string{`{"$oid":"507f1f77bcf86cd799439011"}`, `{"$code":"function(){}"}`, `{"$date":0}`, `{"$numberLong":"1"}`, `{"$regex":".*"}`, `{"$binary":{"base64":"","subType":"00"}}`} {
		for _, body := range []string{`{"resourceType":"Consent","status":` + value + `}`, `{"resourceType":"Consent","id":` + value + `}`, `{"resourceType":"Consent","extension":[{"url":"u","valueString":` + value + `}]}`, `{"resourceType":` + value + `}`} {
			s.as("patient-alix").post("Consent", []byte(body)).is(400)
		}
	}
}

func sortKeysAndPages(s *siege, t *testing.T) {
	p, in := s.as("patient-alix"), "DocumentReference?patient="+s.patient("patient-alix")
	for _, key := range []string{"$where", "$natural", "status.x", "meta.lastUpdated", "-", "--date", "date;", "date desc", "1", "_id,$x", "summary"} {
		p.get(in + "&_sort=" + url.QueryEscape(key)).is(400)
	}
	page := ""
	for i := range 3 {
		if first := p.get(in + "&_count=1").is(200); first.at(fmt.Sprintf("link.%d.relation", i)) == "next" {
			page = first.at(fmt.Sprintf("link.%d.url", i))
		}
	}
	p.get(page).is(200)
	at := strings.Index(page, "_page=") + len("_page=")
	for i := at; i < min(len(page), at+40); i += 7 {
		changed := []byte(page)
		changed[i] = 'A' + (changed[i]-'A'+1)%26
		if changed[i] == page[i] {
			continue
		}
		p.get(string(changed)).is(400)
	}
	p.get(page[:len(page)-1]).is(400)
	p.get(in + "&_page=" + strings.Repeat("A", 200)).is(400)
}

// host is where the server listens; dial connects to it.
func (s *siege) host() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.base, "http://"), "/fhir")
}

func (s *siege) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.host())
	check(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	return c
}

func firstLine(c net.Conn) string {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

func smuggled(s *siege, t *testing.T) {
	host := "Host: " + s.host() + "\r\n"
	inner := "GET /fhir/metadata HTTP/1.1\r\n" + host + "\r\n"
	head := "POST /fhir HTTP/1.1\r\n" + host + "Content-Type: " + fhirJSONType + "\r\n"
	for name, request := range map[string]string{
		"length and encoding":  head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"two lengths":          head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + inner,
		"two encodings":        head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
		"encoding in disguise": head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
		"space before a colon": head + "Content-Length : 2\r\n\r\n{}" + inner,
		"a folded header":      "GET /fhir/metadata HTTP/1.1\r\n folded: x\r\n" + host + "\r\n",
		"two hosts":            "GET /fhir/metadata HTTP/1.1\r\n" + host + "Host: evil.test\r\n\r\n",
		"no host":              "GET /fhir/metadata HTTP/1.1\r\n\r\n",
		"a negative length":    head + "Content-Length: -1\r\n\r\n" + inner,
	} {
		c := s.dial()
		_, err := io.WriteString(c, request)
		check(t, err)
		_ = c.(*net.TCPConn).CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		answer, _ := io.ReadAll(c)
		if bytes.Contains(answer, []byte(`"CapabilityStatement"`)) {
			t.Errorf("%s: the request inside was answered", name)
		}
		if status := string(answer[:min(len(answer), 12)]); status != "" && status != "HTTP/1.1 400" && status != "HTTP/1.1 501" && status != "HTTP/1.1 401" {
			t.Errorf("%s: %q", name, status)
		}
	}
	// Where the request line is absolute, links still name the server's own base.
	c := s.dial()
	_, err := io.WriteString(c, "GET http://evil.test/fhir/metadata HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n")
	check(t, err)
	answer, _ := io.ReadAll(c)
	if bytes.Contains(answer, []byte("evil.test")) {
		t.Error("the answer names the host of the request")
	}
}

func slowClients(s *siege, t *testing.T) {
	for range 200 {
		_, err := io.WriteString(s.dial(), "GET /fhir/metadata HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		check(t, err)
	}
	start := time.Now()
	for range 10 {
		s.as("patient-alix").get("Patient/" + s.patient("patient-alix")).is(200)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("ten reads beside 200 slow clients: %v", took)
	}
}

func methodOverride(s *siege, t *testing.T) {
	at := s.push(sending{author: "medecin-leroy", patient: "patient-alix"})
	p := s.as("medecin-leroy")
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		p.with(name, "DELETE").get(at.doc).is(200)
		p.with(name, "DELETE").post(at.doc, nil).is(405)
	}
	p.get(at.doc + "?_method=DELETE").is(400)
	p.do(http.MethodPost, at.doc, "application/x-www-form-urlencoded", []byte("_method=DELETE")).is(405)
	p.do("DELETEX", at.doc, "", nil)
	p.get(at.doc).is(200).has("meta.versionId", "1")
}

func pathTricks(s *siege, t *testing.T) {
	token, err := personaToken(s.signer, "patient-alix", "", "")
	check(t, err)
	id := s.patient("patient-alix")
	for _, path := range []string{
		"/fhir//Patient/" + id, "/fhir/%2e%2e/admin", "/fhir/../admin", "/fhir/Patient%2f" + id, "/fhir/Patient/" + id + ";jsessionid=1", "/fhir/Patient/" + id + "/", "/fhir/Patient/" + id + "%00",
		"/fhir/./Patient/" + id, `/fhir\Patient\` + id, "/fhir/Patient/../Patient/" + id, "/FHIR/Patient/" + id, "/fhir/patient/" + id, "/fhir/%50atient/" + id, "/fhir/Patient/" + id + "%20", "/fhir/Patient/" + id + "/%5fhistory", "//fhir/Patient/" + id,
	} {
		c := s.dial()
		_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+s.host()+"\r\nAuthorization: Bearer "+token+"\r\nConnection: close\r\n\r\n")
		check(t, err)
		answer, _ := io.ReadAll(c)
		if status := string(answer[:min(len(answer), 12)]); status != "HTTP/1.1 404" && status != "HTTP/1.1 400" {
			t.Errorf("%s: %q", path, status)
		}
	}
}

func logInjection(s *siege, t *testing.T) {
	const marker = "\x1b[31mINJECTED"
	p := s.as("patient-alix")
	p.with("Accept-Language", "fr\tx"+marker[5:]).get("DocumentReference?foo=" + url.QueryEscape("a\r\n{\"level\":\"ERROR\"}"+marker))
	p.with("X-Request-Id", "a${jndi:ldap://x}INJECTED").get("Patient/" + s.patient("patient-alix")).is(200)
	p.with("User-Agent", "x ${jndi:ldap://x} INJECTED").post("Consent", []byte("\r\n{\"INJECTED"))
	p.get("Nothing" + url.PathEscape("\r\n"+marker))
	for line := range strings.SplitSeq(strings.TrimSpace(s.world.log.String()), "\n") {
		if !json.Valid([]byte(line)) || strings.Contains(line, "\x1b") || strings.Contains(line, "INJECTED") {
			t.Errorf("a line of the log: %.300q", line)
		}
	}
}

func hostilePatches(s *siege, t *testing.T) {
	at := s.push(sending{author: "medecin-leroy", patient: "patient-alix", flag: "MASQUE_PS"})
	hidden, owner := s.as("pharmacien-dubois"), s.as("medecin-leroy")
	not := "DocumentReference/" + never(idOf(at.doc))
	for _, value := range []string{"current", "superseded"} {
		test := `[{"op":"test","path":"/status","value":"` + value + `"},{"op":"replace","path":"/status","value":"current"}]`
		alike(t, hidden.patch(at.doc, test).is(404), hidden.patch(not, test), idOf(at.doc), idOf(not))
	}
	for _, operations := range []string{
		`[{"op":"move","from":"/status","path":"/meta/versionId"}]`, `[{"op":"copy","from":"/subject","path":"/meta/tag"}]`, `[{"op":"replace","path":"/securityLabel/-1","value":{}}]`, `[{"op":"remove","path":"/securityLabel/99"}]`,
		`[{"op":"replace","path":"","value":{}}]`, `[{"op":"add","path":"/id","value":"x"}]`, `[{"op":"replace","path":"/subject/reference","value":"Patient/x"}]`, `[{"op":"remove","path":"/status~2"}]`,
		`[` + strings.Repeat(`{"op":"test","path":"/status","value":"current"},`, 10_000) + `{"op":"test","path":"/status","value":"current"}]`,
	} {
		got := owner.patch(at.doc, operations)
		if got.status < 400 || got.status >= 500 {
			t.Errorf("%.80s: %d", operations, got.status)
		}
	}
	owner.get(at.doc).is(200).has("meta.versionId", "1")
}

func putStorm(s *siege, t *testing.T) {
	me, alix := s.as("patient-alix"), s.patient("patient-alix")
	made := me.post("CareTeam", careTeam("", alix, "active", "", teamMember("Practitioner", "urn:oid:1.2.250.1.71.4.2.1", "8899900000012"))).is(201)
	id := made.at("id")
	body := careTeam(id, alix, "active", "", teamMember("Practitioner", "urn:oid:1.2.250.1.71.4.2.1", "8899900000014"))
	var mu sync.Mutex
	var wrote int
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			got := me.do(http.MethodPut, "CareTeam/"+id, fhirJSONType, body)
			mu.Lock()
			defer mu.Unlock()
			switch got.status {
			case 200:
				wrote++
			case 409, 412, 503:
			default:
				t.Errorf("%d", got.status)
			}
		})
	}
	wait.Wait()
	me.get("CareTeam/"+id).is(200).has("meta.versionId", fmt.Sprint(wrote+1))
	me.get("CareTeam/"+id+"/_history").is(200).has("total", fmt.Sprint(wrote+1))
	for n := range wrote + 1 {
		me.get(fmt.Sprintf("CareTeam/%s/_history/%d", id, n+1)).is(200)
	}
}

func staleWrites(s *siege, t *testing.T) {
	at := s.push(sending{author: "medecin-leroy", patient: "patient-alix"})
	p := s.as("medecin-leroy")
	for _, tag := range []string{`W/"2"`, `"7"`, `W/"0"`, `W/"-1"`, "x", `W/"1`, `W/"99999999999999999999"`} {
		p.with("If-Match", tag).patch(at.doc, toSuperseded).is(412)
		p.with("If-Match", tag).delete(at.doc).is(412)
	}
	p.get(at.doc).is(200).has("meta.versionId", "1")
	p.with("If-Match", `W/"1"`).patch(at.doc, toSuperseded).is(200)
	p.with("If-Match", `W/"1"`).patch(at.doc, toSuperseded).is(412)
}

func edgesOfTime(s *siege, t *testing.T) {
	dates := []string{"0000", "0000-01-01", "9999-12-31", "9999-12-31T23:59:60Z", "2026-06-30T23:59:60Z", "2026-01-01T00:00:00+14:00", "2026-01-01T00:00:00+14:60", "2026-01-01T24:00:00Z", "2026-02-30", "-0001-01-01", "10000-01-01", "0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00.999999999999999999Z", ""}
	for _, d := range dates {
		for _, prefix := range []string{"", "ge", "lt", "ap"} {
			got := s.as("patient-alix").get("DocumentReference?patient=" + s.patient("patient-alix") + "&date=" + prefix + url.QueryEscape(d))
			if got.status != 200 && got.status != 400 {
				t.Errorf("date=%s%s: %d", prefix, d, got.status)
			}
		}
		body, oid := s.bundle(sending{author: "medecin-leroy", patient: "patient-alix", more: `"extension":[{"url":"http://x.test","valueDateTime":"` + d + `"}],`})
		got := s.as("medecin-leroy").post("", body)
		switch got.status {
		case 400:
		case 200:
			found := s.as("medecin-leroy").get("DocumentReference?_id=" + idOf(refOf(got.at("entry.1.response.location")))).is(200)
			found.has("entry.0.resource.extension.0.valueDateTime", d)
		default:
			t.Errorf("%s of %s: %d", d, oid, got.status)
		}
	}
}

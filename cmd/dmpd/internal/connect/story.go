package connect

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"opendmp/cmd/dmpd/internal/bundles"
)

// Clients and certificates of the story, as `dmpd sandbox clients` and the test PKI have
// them.
const (
	software    = "logiciel-exemple"
	samu        = "samu-exemple"
	hospital    = "hopital-nord"     // private_key_jwt and its certificate
	hospitalTLS = "hopital-nord-tls" // its certificate alone
	other       = "hopital-sud"

	certHospital = "org-hopital-nord"
	certOther    = "org-hopital-sud"
	certSAMU     = "org-samu-75"

	structures    = "urn:oid:1.2.250.1.71.4.2.2|"
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccess    = "urn:ietf:params:oauth:token-type:access_token"
	typeAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	domain        = "urn:oid:1.2.250.1.213.1.4.10|"
)

// Tell plays the whole story. The error says which step was not as told.
func Tell(ctx context.Context, o Options) error {
	s, err := newStage(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	p := &play{stage: s}
	for _, scene := range []func(){p.physician, p.bound, p.hospital, p.regulation, p.life, p.revoked, p.rotation, p.outage} {
		scene()
	}
	if s.err != nil {
		return fmt.Errorf("the story is not as told: %s: %w", s.who, s.err)
	}
	fmt.Fprintln(o.Out, "\nTout s’est passé comme prévu.")
	return nil
}

// play is what the scenes hand on to each other.
type play struct {
	*stage
	doctor tokens
	psc    string // a token of the identity provider
}

// tokens are an answer of the token endpoint.
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Refresh string `json:"refresh_token"`
}

// granted reads the tokens of the last answer.
func (s *stage) granted() tokens {
	var t tokens
	s.read(&t)
	s.check(t.Access != "" && t.Type == "Bearer", "pas de jeton : %s", s.body)
	return t
}

// exchange asks for a token in the name of the person of a token of the identity
// provider, with further pairs.
func (s *stage) exchange(client, certificate, token string, pairs ...string) *stage {
	return s.as(client).oauth(certificate, "/oauth2/token", append([]string{
		"grant_type", grantExchange, "client_id", client, "subject_token", token, "subject_token_type", typeAccess,
	}, pairs...)...)
}

func (s *stage) alix() string {
	return "DocumentReference?patient.identifier=" + url.QueryEscape(domain+s.INS("patient-alix"))
}

// total is that of a search.
func (s *stage) total() int {
	var p struct {
		Total int `json:"total"`
	}
	s.read(&p)
	return p.Total
}

// physician: a physician with two places, from the log-in to the search.
func (p *play) physician() {
	p.scene("1. Le Dr Durand se connecte par Pro Santé Connect (joué par le bac à sable), puis son logiciel échange le jeton")
	got := p.logIn("medecin-durand", software)
	p.answers(http.StatusOK, "un jeton d’accès de %d secondes, un jeton d’identité, un jeton de rafraîchissement", got.Expires)
	p.psc = got.Access
	who := p.whoIs(p.psc)
	p.answers(http.StatusOK, "PS_IdNat %s ; %s", who.National, strings.Join(who.places(), ", "))
	p.check(len(who.places()) == 2, "le Dr Durand devrait exercer en deux lieux")

	p.exchange(software, certHospital, p.psc).refuses(http.StatusBadRequest, "invalid_request", "deux lieux d’exercice, il faut dire lequel")
	p.exchange(software, certHospital, p.psc, "structure", structures+"1750000005").
		refuses(http.StatusBadRequest, "invalid_request", "une structure que Pro Santé Connect ne connaît pas à ce médecin")
	p.exchange(software, certOther, p.psc, "structure", structures+"1750000001").
		refuses(http.StatusUnauthorized, "invalid_client", "ce certificat n’est pas de ceux du logiciel")
	p.exchange(software, certHospital, p.psc, "structure", structures+"1750000001")
	p.doctor = p.granted()
	p.answers(http.StatusOK, "un jeton du DMP, %d secondes, lié au certificat ; droits au plus : %s", p.doctor.Expires, p.doctor.Scope)

	p.as("medecin-durand").fhir(certHospital, p.doctor.Access, p.alix())
	found := p.total()
	p.answers(http.StatusOK, "%d documents d’Alix", found)
	p.check(found > 0, "aucun document")
}

// bound: a token is of no use to whoever else has it.
func (p *play) bound() {
	p.scene("2. Ce jeton ne sert qu’avec le certificat qui l’a obtenu")
	p.as("quelqu’un d’autre").fhir(certOther, p.doctor.Access, p.alix()).answers(http.StatusUnauthorized, "un autre certificat")
	p.fhir("", p.doctor.Access, p.alix()).answers(http.StatusUnauthorized, "aucun certificat")
	p.as("medecin-durand").fhir(certHospital, p.psc, p.alix()).answers(http.StatusUnauthorized, "le jeton de Pro Santé Connect n’ouvre rien lui-même")
	p.fhir(certHospital, p.doctor.Access, p.alix()).answers(http.StatusOK, "le bon, toujours")
}

// hospital: two ways for a system to prove itself, and a push with each.
func (p *play) hospital() {
	p.scene("3. L’Hôpital Nord alimente : par une assertion signée (private_key_jwt), puis par son seul certificat (tls_client_auth)")
	assertion := p.assertion()
	ask := func() *stage {
		return p.as(hospital).oauth(certHospital, "/oauth2/token", "grant_type", "client_credentials", "scope", "system/*.cruds",
			"client_assertion_type", typeAssertion, "client_assertion", assertion)
	}
	ask()
	token := p.granted()
	p.answers(http.StatusOK, "un jeton de %d secondes", token.Expires)
	ask().refuses(http.StatusBadRequest, "invalid_grant", "une assertion ne sert qu’une fois")
	p.deposits(token.Access)

	p.as(hospitalTLS).oauth("", "/oauth2/token", "grant_type", "client_credentials", "client_id", hospitalTLS).
		refuses(http.StatusUnauthorized, "invalid_client", "sans certificat, personne n’est prouvé")
	p.oauth(certHospital, "/oauth2/token", "grant_type", "client_credentials", "client_id", hospitalTLS)
	token = p.granted()
	p.answers(http.StatusOK, "un jeton de %d secondes", token.Expires)
	p.deposits(token.Access)
}

// deposits pushes a document of Alix.
func (p *play) deposits(token string) {
	alix := bundles.Patient{INS: p.INS("patient-alix"), Family: "MERCIER", Given: "Alix", Gender: "female", Birth: "1985-04-12"}
	p.fhir(certHospital, token, "Patient?identifier="+url.QueryEscape(domain+alix.INS)).answers(http.StatusOK, "le dossier d’Alix")
	var found struct {
		Entry []struct {
			Resource struct {
				ID string `json:"id"`
			} `json:"resource"`
		} `json:"entry"`
	}
	p.read(&found)
	p.check(len(found.Entry) == 1, "le dossier d’Alix n’est pas trouvé seul")
	if p.err != nil {
		return
	}
	alix.ID = found.Entry[0].Resource.ID
	now := time.Now()
	document := bundles.Document{Title: "Compte rendu d’examens biologiques", Date: now, Unique: bundles.UUID()}
	content := bundles.NewContent([]byte("%PDF-1.4\n% " + rand.Text() + "\n%%EOF\n"))
	p.push(certHospital, token, bundles.Push(alix, document, content, now)).answers(http.StatusOK, "un document déposé")
}

// regulation: centre_15 needs the certificate of a SAMU and a regulator.
func (p *play) regulation() {
	p.scene("4. Le centre 15 : le certificat du SAMU, et un médecin à qui Pro Santé Connect reconnaît la régulation")
	got := p.logIn("samu-garnier", samu)
	p.answers(http.StatusOK, "un jeton de Pro Santé Connect")
	who := p.whoIs(got.Access)
	p.answers(http.StatusOK, "Acces_Regulation_Medicale=%s", who.Regulation)
	p.check(who.Regulation == "VRAI", "le Dr Garnier devrait réguler")
	centre15 := []string{"purpose_of_use", "centre_15"}
	p.exchange(samu, "", got.Access, centre15...).refuses(http.StatusUnauthorized, "invalid_client", "sans certificat")
	p.exchange(samu, certHospital, got.Access, centre15...).refuses(http.StatusUnauthorized, "invalid_client", "ce certificat n’est pas celui du SAMU")
	p.exchange(samu, certSAMU, got.Access, centre15...)
	token := p.granted()
	p.answers(http.StatusOK, "un jeton du mode centre 15")

	const traits = "Patient?family=Mercier&given=Alix&birthdate=1985-04-12"
	p.as("samu-garnier").fhir(certSAMU, token.Access, traits)
	p.check(p.total() == 1, "Alix n’est pas trouvée : %s", p.body)
	p.answers(http.StatusOK, "Alix, trouvée par ses traits ; mode d’accès « %s »", p.header.Get("X-DMP-Mode-Acces"))
	p.check(p.header.Get("X-DMP-Mode-Acces") == "centre_15", "le mode ne se dit pas")
	p.fhir(certHospital, token.Access, traits).answers(http.StatusUnauthorized, "le même jeton, un autre certificat")

	ordinary := p.logIn("samu-garnier", software)
	p.answers(http.StatusOK, "le même médecin, par un logiciel ordinaire")
	p.exchange(software, certHospital, ordinary.Access, centre15...).refuses(http.StatusForbidden, "access_denied", "le mode centre 15 passe par le logiciel d’un SAMU")
	p.exchange(samu, certSAMU, ordinary.Access, centre15...).refuses(http.StatusBadRequest, "invalid_grant", "ce jeton est celui d’un autre logiciel")
}

// life: refresh, introspection, revocation.
func (p *play) life() {
	p.scene("5. La vie d’un jeton : rafraîchi, vérifié, révoqué")
	about := func(path, token string) *stage {
		return p.as(software).oauth(certHospital, path, "client_id", software, "token", token)
	}
	refresh := func(token string) *stage {
		return p.as(software).oauth(certHospital, "/oauth2/token", "grant_type", "refresh_token", "client_id", software, "refresh_token", token)
	}
	first := p.doctor
	refresh(first.Refresh)
	p.doctor = p.granted()
	p.answers(http.StatusOK, "un nouveau jeton, sans repasser par Pro Santé Connect")
	p.as("medecin-durand").fhir(certHospital, p.doctor.Access, p.alix()).answers(http.StatusOK, "il sert")

	about("/oauth2/introspect", p.doctor.Access).active(true, "en vigueur")
	about("/oauth2/revoke", p.doctor.Access).answers(http.StatusOK, "révoqué")
	about("/oauth2/introspect", p.doctor.Access).active(false, "plus en vigueur")
	p.as("medecin-durand").fhir(certHospital, p.doctor.Access, p.alix()).answers(http.StatusUnauthorized, "il ne sert plus")

	refresh(first.Refresh).refuses(http.StatusBadRequest, "invalid_grant", "un jeton de rafraîchissement ne sert qu’une fois : s’il ressert, quelqu’un l’a pris")
	refresh(p.doctor.Refresh).refuses(http.StatusBadRequest, "invalid_grant", "et toute la famille s’arrête")
}

// active checks an introspection.
func (s *stage) active(want bool, sentence string) *stage {
	var o struct {
		Active bool `json:"active"`
	}
	s.read(&o)
	s.check(o.Active == want, "active=%v : %s", o.Active, s.body)
	return s.answers(http.StatusOK, "%s", sentence)
}

// revoked: a certificate that is taken back closes what it had opened.
func (p *play) revoked() {
	p.scene("6. Le certificat de l’Hôpital Sud est révoqué : son jeton et sa connexion ne servent plus")
	p.as(other).oauth(certOther, "/oauth2/token", "grant_type", "client_credentials", "client_id", other)
	token := p.granted()
	p.answers(http.StatusOK, "un jeton")
	search := "Patient?identifier=" + url.QueryEscape(domain+p.INS("patient-alix"))
	p.fhir(certOther, token.Access, search).answers(http.StatusOK, "il sert")
	if p.err == nil {
		if err := p.Revoke(certOther); err != nil {
			p.fail(err)
		}
	}
	p.tell("son numéro est sur la liste des certificats révoqués (CRL)")
	p.fhir(certOther, token.Access, search).answers(http.StatusUnauthorized, "sur la connexion qui était ouverte")
	p.shutOut(certOther)
}

// shutOut checks that a new connection is refused before anything is asked.
func (p *play) shutOut(certificate string) {
	if p.err != nil {
		return
	}
	err := p.knock(certificate)
	p.check(err != nil && strings.Contains(err.Error(), "tls:"), "une nouvelle connexion n’est pas refusée : %v", err)
	p.tell("une nouvelle connexion est refusée par TLS")
}

// rotation: new keys of the identity provider disturb nobody.
func (p *play) rotation() {
	p.scene("7. Pro Santé Connect change de clé de signature : rien ne change pour personne")
	root, _, _ := strings.Cut(p.Identity, "/auth/realms")
	p.as("bac à sable").send(call{method: http.MethodPost, url: root + "/bac-a-sable/cles", shown: "/bac-a-sable/cles"}).answers(http.StatusOK, "une nouvelle clé, l’ancienne encore publiée")
	got := p.logIn("medecin-durand", software)
	p.answers(http.StatusOK, "un jeton signé de la nouvelle clé")
	p.exchange(software, certHospital, got.Access, "structure", structures+"1750000001")
	p.doctor = p.granted()
	p.answers(http.StatusOK, "échangé")
	p.psc = got.Access
}

// outage: without the identity provider nobody new gets in, and who is in stays.
func (p *play) outage() {
	p.scene("8. Pro Santé Connect est en panne : aucun nouveau jeton, ceux qui ont été donnés servent jusqu’à leur fin")
	if p.err == nil {
		p.StopIdentity()
	}
	p.exchange(software, certHospital, p.psc, "structure", structures+"1750000001").
		refuses(http.StatusServiceUnavailable, "temporarily_unavailable", "personne ne peut dire qui c’est, personne n’entre")
	p.as("medecin-durand").fhir(certHospital, p.doctor.Access, p.alix()).answers(http.StatusOK, "celui d’avant la panne")
	p.as(software).oauth(certHospital, "/oauth2/token", "grant_type", "refresh_token", "client_id", software, "refresh_token", p.doctor.Refresh)
	p.check(p.granted().Access != p.doctor.Access, "le même jeton")
	p.answers(http.StatusOK, "et se rafraîchit")
}

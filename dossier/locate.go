package dossier

import (
	"context"
	"strings"

	"opendmp/fhir"
	"opendmp/store"
)

// Blind tokens, by what they are made of. Claims are unique over all dossiers.
func (s *Service) insToken(i fhir.Ident) store.Token {
	return s.vault.Claim("ins", i.System, i.Value)
}

// documentToken is of one dossier and one source, so that a collision can only
// concern a document of the same source.
func (s *Service) documentToken(d store.Dossier, source, identifier fhir.Ident) store.Token {
	return s.vault.Claim("document", string(d[:]), source.System, source.Value, identifier.System, identifier.Value)
}

func (s *Service) idToken(typ, id string) store.Token { return s.vault.Find("id", typ, id) }

// identifierToken finds the resources of a type with an identifier; without a system,
// those with that value in any system (R4 §3.1.1.4.10).
func (s *Service) identifierToken(typ string, i fhir.Ident) store.Token {
	if i = fhir.CanonicalIdent(i); typ == "DocumentReference" {
		return s.vault.Find("identifier", i.System, i.Value)
	}
	return s.vault.Find("identifier", typ, i.System, i.Value)
}

// identifierTokens are all those that find a resource, each once.
func (s *Service) identifierTokens(typ string, idents []fhir.Ident) []store.Token {
	var all []store.Token
	seen := make(map[store.Token]bool, 2*len(idents))
	for _, i := range idents {
		for _, t := range [...]store.Token{
			s.identifierToken(typ, i),
			s.identifierToken(typ, fhir.Ident{Value: fhir.CanonicalIdent(i).Value}),
		} {
			if !seen[t] {
				seen[t] = true
				all = append(all, t)
			}
		}
	}
	return all
}

// decoy is the dossier that is loaded where nothing exists, so that hidden and
// absent make the same store calls. It depends on what was asked, as the real
// one does.
func decoy(t store.Token) (d store.Dossier) {
	copy(d[:], t[:])
	return d
}

// byToken returns the dossier that a unique token leads to, or a decoy.
func (s *Service) byToken(ctx context.Context, t store.Token) (store.Dossier, error) {
	refs, err := s.store.Lookup(ctx, t)
	if err != nil {
		return store.Dossier{}, err
	}
	if len(refs) == 0 {
		return decoy(t), nil
	}
	return refs[0].Dossier, nil
}

// loadToken loads the dossier that a unique token leads to, or a decoy.
func (s *Service) loadToken(ctx context.Context, t store.Token) (*loaded, error) {
	d, err := s.byToken(ctx, t)
	if err != nil {
		return nil, err
	}
	return s.load(ctx, d)
}

// loadByID loads the dossier that holds a resource, or a decoy.
func (s *Service) loadByID(ctx context.Context, typ, id string) (*loaded, error) {
	return s.loadToken(ctx, s.idToken(typ, id))
}

// loadByINS loads the dossier of a patient, or a decoy.
func (s *Service) loadByINS(ctx context.Context, ins fhir.Ident) (*loaded, error) {
	return s.loadToken(ctx, s.insToken(ins))
}

// maxPlaces is in how many dossiers one search looks that names none: a value without
// its system may be in use anywhere.
const maxPlaces = 50

// loadByIdentifiers loads the dossiers with a resource of a type that has one of the
// identifiers, each once; none is a decoy.
func (s *Service) loadByIdentifiers(ctx context.Context, typ string, idents []fhir.Ident) ([]*loaded, error) {
	var ids []store.Dossier
	for _, i := range idents {
		t := s.identifierToken(typ, i)
		refs, err := s.store.Lookup(ctx, t)
		if err != nil {
			return nil, err
		}
		if len(refs) == 0 {
			refs = []store.Ref{{Dossier: decoy(t)}}
		}
		for _, r := range refs {
			ids = appendOnce(ids, r.Dossier)
		}
		if len(ids) > maxPlaces {
			return nil, invalid("too-costly", "http.identifier", "Trop de dossiers à parcourir : donner le système de l’identifiant (système|valeur), ou le patient.", "Too many records to look into: give the system of the identifier (system|value), or the patient.")
		}
	}
	return s.loadEach(ctx, ids)
}

// loadByIDs does the same for resource ids.
func (s *Service) loadByIDs(ctx context.Context, typ string, resources []string) ([]*loaded, error) {
	var ids []store.Dossier
	for _, id := range resources {
		d, err := s.byToken(ctx, s.idToken(typ, id))
		if err != nil {
			return nil, err
		}
		ids = appendOnce(ids, d)
	}
	return s.loadEach(ctx, ids)
}

func (s *Service) loadEach(ctx context.Context, ids []store.Dossier) ([]*loaded, error) {
	out := make([]*loaded, 0, len(ids))
	for _, id := range ids {
		d, err := s.load(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func appendOnce(ids []store.Dossier, id store.Dossier) []store.Dossier {
	for _, have := range ids {
		if have == id {
			return ids
		}
	}
	return append(ids, id)
}

// localRef reads a reference to a resource of this server: "Type/id", the same
// with a version, or an absolute URL under one of its bases.
func (s *Service) localRef(reference string) (typ, id string, ok bool) {
	if own, under := s.bases.Relative(reference); under {
		reference = own
	}
	parts := strings.Split(reference, "/")
	if len(parts) == 4 && parts[2] == "_history" {
		parts = parts[:2]
	}
	if len(parts) != 2 || parts[0] == "" || parts[1] == "" || strings.ContainsAny(reference, ":?#") {
		return "", "", false
	}
	return parts[0], parts[1], true
}

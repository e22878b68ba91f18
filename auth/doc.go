// Package auth turns credentials into a Principal: who calls, in what role, in
// which mode.
//
// It promises that a non-zero Principal was proved: only this package can make
// one, from a token or a certificate that it verified. The zero Principal is
// nobody and may do nothing.
//
// It refuses to decide rights (package policy does), to read a role from
// anything but a verified credential, and to fetch a key that a token names.
//
// # The access token
//
// A JWT of type at+jwt (RFC 9068) with the claims of IHE IUA and, for what IUA
// has no place for, an object "opendmp". For a physician who breaks the glass:
//
//	header  {"alg": "ES256", "typ": "at+jwt", "kid": "…"}
//	payload {
//	  "iss": "https://dmp.example/oauth", "aud": "https://dmp.example/fhir",
//	  "sub": "…", "client_id": "…", "jti": "…", "iat": 1, "nbf": 1, "exp": 3601,
//	  "extensions": {"ihe_iua": {
//	    "subject_name": "Dr Paul ROCHE",
//	    "national_provider_identifier": "urn:oid:1.2.250.1.71.4.2.1|899700218896",
//	    "subject_organization": ["Hôpital Sud"],
//	    "subject_organization_id": ["urn:oid:1.2.250.1.71.4.2.2|1750000002"],
//	    "subject_role": [{"system": "…/TRE-G15-ProfessionSante", "code": "10"}],
//	    "purpose_of_use": [{"system": "…/TRE-R248-ModeAcces", "code": "bris_de_glace"}]
//	  }},
//	  "opendmp": {
//	    "kind": "professional",
//	    "profession": {"system": "…/TRE-G15-ProfessionSante", "code": "10"},
//	    "roles": [{"system": "…/TRE-R01-EnsembleSavoirFaire-CISIS", "code": "SM59"}],
//	    "reason": "Patient inconscient, antécédents inconnus"
//	  }
//	}
//
// Identifiers are written as FHIR search tokens, system|value. A token carries
// no right beyond what these claims say; an unknown name inside "opendmp", a
// name that is there twice and a claim that does not go with the kind of caller
// are refused, never ignored. Types Claims, IUA and DMP describe each claim.
//
//	kind              person                          structure   profession
//	patient           person_id: INS                  –           –
//	representative    person_id: account or INS       –           –
//	professional      national_provider_identifier    optional    required
//	regulator         national_provider_identifier    required    physician
//	administrative    national_provider_identifier    required    –
//	establishment     –                               required    –
//	insurance-feeder  –                               required    –
//	operator          person_id: account              –           –
package auth

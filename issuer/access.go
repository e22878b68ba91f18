package issuer

import (
	"opendmp/auth"
)

// Modes of access (TRE_R248) that an exchange may ask for.
const (
	modeNormal    = "normal"
	modeEmergency = "bris_de_glace"
	modeSAMU      = "centre_15"
)

// confidential is the one confidentiality_code: a session that is hidden from the
// representatives of a minor.
const confidential = "INVISIBLE_REPRESENTANTS_LEGAUX"

// accessParameters say how the professional of an exchange wants to access dossiers. No
// other grant takes them.
var accessParameters = [...]string{"purpose_of_use", "reason", "confidentiality_code"}

// access is the mode of access of an exchange, with what goes with it.
type access struct {
	mode, reason, confidentiality string
}

// accessOf reads the parameters of access. What the policy would refuse later, whatever
// the dossier, is refused here, where the client can still say which parameter it is: an
// emergency without its reason, a reason or a secret session where there can be none. Who
// calls from a SAMU is a regulator and nobody else (POLICY §1).
func accessOf(form map[string]string, samu bool) (access, *Error) {
	a := access{form["purpose_of_use"], form["reason"], form["confidentiality_code"]}
	if a.mode == "" {
		a.mode = modeNormal
	}
	problem := ""
	switch {
	case a.mode != modeNormal && a.mode != modeEmergency && a.mode != modeSAMU:
		problem = "purpose_of_use is normal, bris_de_glace or centre_15"
	case samu && a.mode != modeSAMU:
		problem = "purpose_of_use is centre_15 with the certificate or the software of a SAMU, and nothing else"
	case a.mode == modeEmergency && a.reason == "":
		problem = "reason is missing: purpose_of_use=bris_de_glace needs one, " + ruleOfReasons
	case a.mode == modeEmergency && !auth.IsTokenReason(a.reason):
		problem = "reason is " + ruleOfReasons
	case a.mode != modeEmergency && a.reason != "":
		problem = "reason goes with purpose_of_use=bris_de_glace only"
	case a.confidentiality != "" && a.confidentiality != confidential:
		problem = "confidentiality_code is " + confidential + ", or is not there"
	case a.confidentiality != "" && a.mode == modeSAMU:
		problem = "confidentiality_code does not go with purpose_of_use=centre_15"
	}
	if problem != "" {
		return access{}, refuse("invalid_request", problem, nil)
	}
	return a, nil
}

// ruleOfReasons is auth.IsTokenReason as a client is told of it.
const ruleOfReasons = "one line of 10 to 500 characters, at least ten of them letters or digits, and no control characters"

// without refuses the parameters of access where the grant takes none: one that is not
// looked at would let the client believe that it has what it asked for.
func (r Request) without(why string, parameters ...string) error {
	for _, name := range parameters {
		if len(r.Form[name]) > 0 {
			return refuse("invalid_request", name+" "+why, nil)
		}
	}
	return nil
}

// lasting tells whether tokens may follow each other for a mode. An emergency is one
// dossier and one reason (POLICY §5: a token opens at most one grant), and that of a SAMU
// one call: a token that follows by itself would open another without saying why.
func lasting(c auth.Claims) bool {
	purposes := c.Extensions.IUA.Purpose
	for _, p := range purposes {
		if p.System != auth.SystemAccessMode || p.Code != modeNormal {
			return false
		}
	}
	return len(purposes) > 0
}

package auth

// String returns the name of the kind as POLICY.md §1 and the claim
// opendmp.kind write it; "nobody" for the zero Kind.
func (k Kind) String() string {
	switch k {
	case Patient:
		return "patient"
	case Representative:
		return "representative"
	case Professional:
		return "professional"
	case Regulator:
		return "regulator"
	case Establishment:
		return "establishment"
	case Administrative:
		return "administrative"
	case InsuranceFeeder:
		return "insurance-feeder"
	case Operator:
		return "operator"
	}
	return "nobody"
}

// ParseKind returns the kind of that name; Nobody and false if there is none.
func ParseKind(name string) (Kind, bool) {
	for k := Patient; k <= Operator; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return Nobody, false
}

// String returns the code of the mode in TRE_R248-ModeAcces.
func (m Mode) String() string {
	switch m {
	case BrisDeGlace:
		return "bris_de_glace"
	case Centre15:
		return "centre_15"
	}
	return "normal"
}

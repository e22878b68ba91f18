package policy

// Cell is what the habilitation matrix says of one profession and one type of
// document (POLICY §2). The zero Cell is Unknown, which no rule takes for a
// permission.
type Cell uint8

// Cells.
const (
	Unknown Cell = iota
	Deny
	Allow
)

// String returns the word that the files of the matrix use.
func (c Cell) String() string {
	switch c {
	case Deny:
		return "deny"
	case Allow:
		return "allow"
	}
	return "unknown"
}

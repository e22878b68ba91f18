package definitions

import (
	"fmt"
	"strings"
)

// GoStrings returns texts as the Go source of a []string, as the tables have them.
func GoStrings(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "[]string{" + strings.Join(quoted, ", ") + "}"
}

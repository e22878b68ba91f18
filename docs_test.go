package opendmp_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// A departure is cited by its number: each has one, of its own, in order.
func TestNumbersOfDepartures(t *testing.T) {
	page, err := os.ReadFile("docs/ecarts.md")
	if err != nil {
		t.Fatal(err)
	}
	last, rows := 0, regexp.MustCompile(`(?m)^\| ([0-9]+) \|`).FindAllSubmatch(page, -1)
	if len(rows) < 30 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, m := range rows {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil || n <= last {
			t.Errorf("number %s after %d", m[1], last)
		}
		last = n
	}
}

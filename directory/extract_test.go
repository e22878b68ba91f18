package directory_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"opendmp/directory"
)

// A line that cannot be read refuses the file, and is named by its number.
func TestMalformed(t *testing.T) {
	whole := text(t)
	lines := strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
	with := func(n int, change func(string) string) string {
		changed := append([]string(nil), lines...)
		changed[n-1] = change(changed[n-1])
		return strings.Join(changed, "\n") + "\n"
	}
	replace := func(was, is string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, was) {
				t.Fatalf("%q is not in the line", was)
			}
			return strings.Replace(s, was, is, 1)
		}
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"empty"}},
		{"header alone", lines[0] + "\n", []string{"no lines"}},
		{"another file", "a|b|c\n1|2|3\n", []string{"line 1", "Identification nationale PP"}},
		{"a column twice", with(1, replace("Identifiant PP|", "Nom d'exercice|")), []string{"line 1", "two columns"}},
		{"one field less", with(3, replace("||", "|")), []string{"line 3: 56 fields instead of 57"}},
		{"one field more", with(4, replace("||", "|||")), []string{"line 4: 58 fields instead of 57"}},
		{"cut short", strings.TrimSuffix(whole, lines[9][40:]+"\n"), []string{"line 10", "fields"}},
		{"an empty line", with(5, func(string) string { return "" }), []string{"line 5: 1 fields instead of 57"}},
		{"Latin-1", with(6, replace("Leïla", "Le\xefla")), []string{"line 6", "UTF-8"}},
		{"a control character", with(6, replace("Leïla", "Le\x00la")), []string{"line 6", "control"}},
		{"no identifier", with(2, replace("899900001001", "")), []string{"line 2", "identifier"}},
		{"an identifier of another kind", with(2, replace("|899900001001", "|399900001001")), []string{"line 2", "identifier"}},
		{"no name", with(2, replace("MARTIN", " ")), []string{"line 2", "family name"}},
		{"no profession", with(2, replace("|10|Médecin", "||Médecin")), []string{"line 2", "profession"}},
		{"a key with a slash", with(2, replace("R10000000001", "R1/..")), []string{"line 2", "technical identifier"}},
		{"too long", with(3, func(s string) string { return s + strings.Repeat("x", 70_000) }), []string{"line 3", "longer"}},
		{"a line after it too", with(3, func(s string) string { return s + strings.Repeat("x", 70_000) + "\nrien" }), []string{"line 3", "line 4"}},
		{"many", lines[0] + strings.Repeat("\nrien", 25), []string{"line 2", "line 11", "and 15 more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := directory.ReadExtract(strings.NewReader(c.text))
			if !errors.Is(err, directory.ErrExtract) {
				t.Fatalf("%v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %q", want, err)
				}
			}
		})
	}
}

// What other systems write is read: a byte order mark, ends of line of Windows, no end
// of the last line, columns in another order.
func TestTolerated(t *testing.T) {
	whole := text(t)
	swap := func(line string) string {
		f := strings.Split(line, "|")
		f[7], f[41] = f[41], f[7]
		return strings.Join(f, "|")
	}
	var swapped []string
	for line := range strings.SplitSeq(strings.TrimSuffix(whole, "\n"), "\n") {
		swapped = append(swapped, swap(line))
	}
	for name, text := range map[string]string{
		"bom": "\ufeff" + whole, "crlf": strings.ReplaceAll(whole, "\n", "\r\n"),
		"no end": strings.TrimSuffix(whole, "\n"), "columns": strings.Join(swapped, "\n"),
	} {
		x, err := directory.ReadExtract(strings.NewReader(text))
		if err != nil || x.Lines != 9 || x.Left != 0 {
			t.Errorf("%s: %+v, %v", name, x, err)
			continue
		}
		if f, err := x.Index.Professionals(t.Context(), directory.ProfessionalQuery{Name: "martin", Limit: 9}); err != nil || f.Total != 4 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

// A number that no register could have given is left out, and told.
func TestNumbersLeftOut(t *testing.T) {
	x, err := directory.ReadExtract(strings.NewReader(strings.Replace(text(t), "|99990000100017|", "|9999|", 1)))
	if err != nil || x.Left != 1 || x.LeftFirst != 3 {
		t.Errorf("%+v, %v", x, err)
	}
}

// Telephone numbers are not taken.
func TestMinimal(t *testing.T) {
	if !strings.Contains(text(t), "0199000001") {
		t.Fatal("the file has no telephone number to leave out")
	}
	f, err := read(t).Structures(t.Context(), directory.StructureQuery{Name: "hôpital", Limit: 1})
	if err != nil || strings.Contains(fmt.Sprintf("%+v", f), "0199000001") {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestReload(t *testing.T) {
	name := filepath.Join(t.TempDir(), "annuaire.txt")
	at := time.Now().Add(-time.Hour)
	write := func(text string) {
		t.Helper()
		at = at.Add(time.Second)
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := directory.Open(name, nil); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("no file: %v", err)
	}
	write("rien\n")
	if _, err := directory.Open(name, nil); !errors.Is(err, directory.ErrExtract) {
		t.Fatalf("not an extraction: %v", err)
	}
	write(text(t))
	f, err := directory.Open(name, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	total := func(want int) {
		t.Helper()
		if found, err := f.Professionals(t.Context(), directory.ProfessionalQuery{Name: "martin"}); err != nil || found.Total != want {
			t.Errorf("%d, want %d: %v", found.Total, want, err)
		}
	}
	reload := func(want bool, cause error) {
		t.Helper()
		if changed, err := f.Reload(); changed != want && cause == nil || !errors.Is(err, cause) {
			t.Errorf("changed %v, %v; want %v, %v", changed, err, want, cause)
		}
	}
	total(4)
	reload(false, nil)
	write(strings.ReplaceAll(text(t), "|MARTIN|Zoé|", "|DURAND|Zoé|"))
	reload(true, nil)
	total(3)
	write(text(t) + "rien\n")
	reload(false, directory.ErrExtract)
	total(3)
	reload(false, nil) // the same bad file is not read again
	write(strings.Join(strings.Split(text(t), "\n")[:4], "\n"))
	reload(false, directory.ErrShrunk)
	total(3)
	write(text(t))
	reload(true, nil)
	total(4)
}

// BenchmarkRead reads an invented extraction of 200,000 lines and tells what one costs
// in memory, and how long a search takes in it.
func BenchmarkRead(b *testing.B) {
	whole := text(b)
	lines := strings.Split(strings.TrimSuffix(whole, "\n"), "\n")
	var big strings.Builder
	big.WriteString(lines[0] + "\n")
	const n = 200_000
	for i := range n {
		line := strings.Replace(lines[2], "|899900001001|", fmt.Sprintf("|8999%08d|", i/2), 1)
		line = strings.Replace(line, "|MARTIN|", fmt.Sprintf("|%s%d|", []string{"MARTIN ", "DURAND-", "PETIT", "LE "}[i/2%4], i/2%5000), 1)
		line = strings.Replace(line, "|F750000001|", fmt.Sprintf("|F%09d|", i/6), 1)
		big.WriteString(line + "\n")
	}
	var before, after runtime.MemStats
	var x directory.Extract
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		var err error
		if x, err = directory.ReadExtract(strings.NewReader(big.String())); err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/line")
	start := time.Now()
	for range 20 {
		if _, err := x.Index.Professionals(b.Context(), directory.ProfessionalQuery{Name: "martin", Postal: "75", Limit: 20}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(time.Since(start).Microseconds())/20, "µs/search")
}

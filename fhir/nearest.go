package fhir

// maxTypos is how many letters may be wrong in a name for another to be offered.
const maxTypos = 2

// nearest returns the known name that a wrong one is most like, "" if it is like
// none: two letters added, left out or changed, and fewer than half of them.
func nearest(wrong string, known []string) string {
	best, least := "", maxTypos+1
	for _, k := range known {
		if d := typos(wrong, k); d < least && 2*d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// typos is the number of bytes to add, leave out or change to make b of a
// (Levenshtein); more than maxTypos if their lengths alone differ by more. The
// names are short: shownName and the interaction table see to that.
func typos(a, b string) int {
	if max(len(a), len(b))-min(len(a), len(b)) > maxTypos {
		return maxTypos + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

package fhir

// labelSet follows the security labels through a patch. They are a set of codes,
// whatever list they stand in: added twice a code is there once, and taken away once
// it is gone, also where the list had it twice. The operations work on the list, so
// that their indexes mean what the client was given; the set is made of it at the end.
//
// The zero labelSet is before the first operation.
type labelSet struct{ gone map[Ident]bool }

// follow takes note of what an operation did. One that gives the whole list says what
// the set is; of any other, a code of which less is there was taken away, and one of
// which more is there was put back.
func (s *labelSet) follow(o PatchOp, before, after *Resource) {
	if len(o.Segments) == 1 && o.Segments[0] == "securityLabel" && !o.Pseudo {
		s.gone = nil
		return
	}
	had, has := labelCounts(before), labelCounts(after)
	for label, n := range had {
		if has[label] < n {
			if s.gone == nil {
				s.gone = make(map[Ident]bool)
			}
			s.gone[label] = true
		}
	}
	for label, n := range has {
		if n > had[label] {
			delete(s.gone, label)
		}
	}
}

func labelCounts(r *Resource) map[Ident]int {
	n := make(map[Ident]int)
	for c := range r.Root().All("securityLabel", "coding") {
		n[labelOf(c)]++
	}
	return n
}

func labelOf(coding Node) Ident {
	system, code := CanonicalCoding(coding.Get("system").Text(), coding.Get("code").Text())
	return Ident{system, code}
}

// edits leaves of the list each code once, the first, and none that is gone. A label
// that loses all its codes goes; one without any is left for the rules to refuse.
func (s *labelSet) edits(r *Resource) []Edit {
	list := r.Get("securityLabel")
	drops := make(map[Node]bool) // codings, and labels
	seen := make(map[Ident]bool)
	var edits []Edit
	for label := range list.Items() {
		codings, dropped := label.Get("coding"), 0
		for c := range codings.Items() {
			code := labelOf(c)
			if drops[c] = s.gone[code] || seen[code]; drops[c] {
				dropped++
			}
			seen[code] = true
		}
		switch {
		case dropped == 0:
		case dropped == codings.Len():
			drops[label] = true
		default:
			edits = append(edits, RemoveItems(codings, func(n Node) bool { return drops[n] })...)
		}
	}
	return append(edits, RemoveItems(list, func(n Node) bool { return drops[n] })...)
}

// archiveEdits leaves one of several equal archive extensions. Two that contradict each
// other would be found as archived and as not archived: the patch is refused.
func archiveEdits(r *Resource) ([]Edit, error) {
	list := r.Get("extension")
	var first Node
	again := make(map[Node]bool)
	for e := range list.Items() {
		switch {
		case !e.Get("url").Is(extIsArchived):
		case !first.Exists():
			first = e
		case !sameJSON(extensionValue(first, extIsArchived), extensionValue(e, extIsArchived)):
			return nil, invalid("business-rule", r.Type()+".extension", "Deux extensions d’archivage se contredisent.", "Two archive extensions contradict each other.")
		default:
			again[e] = true
		}
	}
	return RemoveItems(list, func(n Node) bool { return again[n] }), nil
}

// canonical returns the result of a patch with its labels as a set and one archive
// extension at most. What the patch did not change stays as it was kept.
func (s *labelSet) canonical(before, after *Resource) (*Resource, error) {
	var edits []Edit
	if !sameJSON(before.Get("securityLabel"), after.Get("securityLabel")) {
		edits = s.edits(after)
	}
	if !sameJSON(before.Get("extension"), after.Get("extension")) {
		archive, err := archiveEdits(after)
		if err != nil {
			return nil, err
		}
		edits = append(edits, archive...)
	}
	return after.Splice(edits)
}

package main

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

const head = `# Les règles

<!-- Écrit par make regles : ne pas modifier à la main. -->

Cette page est écrite à partir du code (` + "`make regles`" + `) : ce sont les règles que le serveur applique, dans l’ordre où il les applique. La norme est [POLICY.md](POLICY.md) ; les paragraphes « DOMAIN § » renvoient à [DOMAIN.md](DOMAIN.md), « CSP » au code de la santé publique. Un test échoue quand une règle n’a ni source ni cas, quand elle n’est pas dans POLICY.md, ou quand une règle de POLICY.md n’est portée par rien.

## Comment les lire

Toutes les règles s’appliquent à chaque demande. Un refus l’emporte sur toute permission ; si aucune règle ne permet, c’est un refus ; la réponse et l’historique nomment les règles qui ont décidé. Une phrase qui finit par une virgule se lit avec la suivante.

Les cas de chaque règle sont ceux que le programme rejoue à chaque essai. Sans autre mention : dossier ouvert, mode normal, autorisation NON_EXISTE, document courant d’un type ordinaire, case de la matrice inconnue, réglages par défaut. Une réponse est :

| réponse | sens |
|---|---|
| entier, métadonnées | ce qui est lu |
| oui | l’acte est fait |
| 404 | comme si cela n’avait jamais existé |
| 403 | refusé, en une seule formule |
| 405 | cet élément ne se modifie pas ainsi |
| 422 | la demande n’est pas recevable |

« – » : aucune circonstance, ou aucune règle (le silence refuse).
`

// parts are the parts of the page, by how the ids of their rules begin.
var parts = []struct{ prefix, title string }{
	{"L", "Lire (POLICY §2)"},
	{"E", "Écrire (POLICY §3)"},
	{"G", "Gérer le dossier (POLICY §4)"},
	{"1.", "Les appelants (POLICY §1)"},
	{"5.", "L’urgence (POLICY §5)"},
	{"6.", "Les autres ressources (POLICY §6)"},
	{"7.", "Les réponses (POLICY §7)"},
}

// page writes the page.
func (b *book) page() []byte {
	var out bytes.Buffer
	out.WriteString(head)
	b.contents(&out)
	for _, p := range parts {
		fmt.Fprintf(&out, "\n## %s\n", p.title)
		for _, r := range b.of(p.prefix) {
			r.write(&out)
		}
	}
	return out.Bytes()
}

// of returns the rules whose ids begin so, numbered ones in the order of POLICY.md.
func (b *book) of(prefix string) []*rule {
	var rules []*rule
	for _, r := range b.rules {
		if strings.HasPrefix(r.id, prefix) {
			rules = append(rules, r)
		}
	}
	slices.SortStableFunc(rules, func(x, y *rule) int { return slices.Index(b.norm.ids, x.id) - slices.Index(b.norm.ids, y.id) })
	return rules
}

func (b *book) contents(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n## Sommaire\n\n")
	for _, p := range parts {
		var links []string
		for _, r := range b.of(p.prefix) {
			links = append(links, fmt.Sprintf("[%s](#%s)", r.id, anchor(r.id)))
		}
		fmt.Fprintf(out, "- %s : %s\n", p.title, strings.Join(links, ", "))
	}
}

// anchor is the anchor of a heading that is an id, as GitHub makes it.
func anchor(id string) string { return strings.ToLower(strings.ReplaceAll(id, ".", "")) }

func (r *rule) write(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n### %s\n\n", r.id)
	if r.fr != "" {
		fmt.Fprintf(out, "**%s**\n\n<sub>%s</sub>\n\n", r.fr, r.en)
	}
	if len(r.sources) > 0 {
		fmt.Fprintf(out, "- Sources : %s\n", strings.Join(r.sources, " ; "))
	}
	var settings []string
	for _, o := range r.options {
		settings = append(settings, settingOf[o])
	}
	settings = append(settings, timed[r.id]...)
	if len(settings) > 0 {
		fmt.Fprintf(out, "- Réglages : %s\n", strings.Join(settings, ", "))
	}
	if len(r.rows) > 0 {
		var rows []string
		for _, at := range r.rows {
			rows = append(rows, at.link(fmt.Sprintf("%s:%d", path.Base(at.file), at.line)))
		}
		fmt.Fprintf(out, "- Code : %s\n", strings.Join(rows, ", "))
	}
	for _, c := range r.carriers {
		var tests []string
		for _, t := range c.tests {
			tests = append(tests, fmt.Sprintf("[%s](../%s)", t.name, t.file))
		}
		fmt.Fprintf(out, "- Porté aussi par [%s](../%s), %s : %s\n", c.code, c.code, c.what, strings.Join(tests, ", "))
	}
	r.writeCases(out)
}

// link links to a line of a file of the checkout.
func (p place) link(text string) string {
	return fmt.Sprintf("[%s](../%s#L%d)", text, p.file, p.line)
}

func (r *rule) writeCases(out *bytes.Buffer) {
	if len(r.cases) == 0 {
		return
	}
	var files []string
	for _, c := range r.cases {
		if link := fmt.Sprintf("[%s](../policy/testdata/regles/%s)", c.file, c.file); !slices.Contains(files, link) {
			files = append(files, link)
		}
	}
	fmt.Fprintf(out, "\nCas (%s) :\n\n", strings.Join(files, ", "))
	out.WriteString("| acte | appelant | circonstances | réponse | règles qui décident |\n|---|---|---|---|---|\n")
	for _, c := range r.cases {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", c.act, c.caller, dash(c.facts), c.answer, dash(c.deciding))
	}
}

func dash(s string) string {
	if s == "-" {
		return "–"
	}
	return s
}

package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"time"

	"opendmp/auth"
	"opendmp/fhir"
)

// refundMonths is how far back the health insurance feeds a dossier that was just
// opened (DOMAIN §4.2), and refundEvery how many months one statement covers.
const (
	refundMonths = 24
	refundEvery  = 3
)

// Refunds returns the transactions by which the health insurance feeds a dossier
// that was opened at an instant: statements of reimbursements for the last 24
// months, oldest first, about a person of whom it knows the INS. The same INS and
// instant give the same bytes, so that a push may be repeated.
func Refunds(ins fhir.Ident, opened time.Time) ([][]byte, error) {
	var bodies [][]byte
	sum := sha256.Sum256([]byte(ins.System + "|" + ins.Value))
	w := &writer{now: opened, rand: rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])))}
	in := opened.In(fhir.Paris)
	month := time.Date(in.Year(), in.Month(), 1, 5, 0, 0, 0, fhir.Paris)
	for back := refundMonths; back > 0; back -= refundEvery {
		from := month.AddDate(0, -back, 0)
		s, err := w.refund(ins, from, from.AddDate(0, refundEvery, 0))
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, mustEncode(s.bundle()))
	}
	return bodies, nil
}

// refund makes one statement, written at the end of its months.
func (w *writer) refund(ins fhir.Ident, from, to time.Time) (submission, error) {
	typ, class := kindOf(typeRefunds)
	s := submission{
		document: document{
			key: "remb", author: "assurance-maladie", typ: typ, class: class, form: formPDF, act: from,
			subjectOf: Persona{Kind: auth.Patient, ID: ins}, report: refundReport(w.rand, from, to),
		},
		at: to, oid: w.oid(), listOID: w.oid(), listUUID: w.uuid(), sourceOID: sourceOID(persona("assurance-maladie")),
		urls: [3]string{"urn:uuid:" + w.uuid(), "urn:uuid:" + w.uuid(), "urn:uuid:" + w.uuid()},
	}
	var err error
	s.content, err = s.render()
	return s, err
}

// refunded are acts that a statement may list.
var refunded = [...][2]string{
	{"Consultation de médecine générale", "Médecin généraliste"},
	{"Consultation de spécialiste", "Médecin spécialiste"},
	{"Délivrance de médicaments", "Pharmacie d’officine"},
	{"Détartrage", "Chirurgien-dentiste"},
	{"Analyses de biologie", "Laboratoire"},
	{"Séances de kinésithérapie", "Masseur-kinésithérapeute"},
}

func refundReport(r *rand.Rand, from, to time.Time) report {
	var rows [][]string
	for _, act := range refunded {
		if n := r.IntN(4); n > 0 {
			rows = append(rows, []string{act[0], act[1], strconv.Itoa(n)})
		}
	}
	if len(rows) == 0 {
		rows = [][]string{{"Aucun soin remboursé", "", "0"}}
	}
	return report{
		title:   "Données de remboursement, " + frenchMonth(from) + " à " + frenchMonth(to.AddDate(0, -1, 0)),
		service: "Alimentation automatique à l’ouverture du dossier",
		sections: []section{{
			heading:    "Soins et produits remboursés",
			paragraphs: []string{"Toutes situations confondues. Ce relevé n’est pas un document médical et n’a pas de valeur de facture."},
			table:      table{header: []string{"Nature", "Professionnel", "Nombre"}, widths: []float64{0.5, 0.36, 0.14}, rows: rows},
		}},
	}
}

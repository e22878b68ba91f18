package main

import "slices"

// rule is what the synthetic table says of one column: all documents of care
// except some, or none except some.
type rule struct {
	wide   bool
	except []string
}

const (
	allow = "allow"
	deny  = "deny"
)

// synthetic returns the decision of the sandbox for a cell that no public source
// names. Documents of management and of reimbursement are nobody's but of the
// wide columns that do not except them.
func synthetic(c coding, t docType) string {
	r := rules()[c]
	named := slices.Contains(r.except, t.code)
	if r.wide != named {
		return allow
	}
	return deny
}

// join makes one list of several.
func join(lists ...[]string) []string { return slices.Concat(lists...) }

// rules says, for each column, what a person who exercises it plausibly needs:
// physicians, midwives and pharmacists wide, those who act on prescription what
// the act needs. It is invented for tests and demonstrations and is no reading of
// the arrêté.
func rules() map[coding]rule {
	var (
		residence  = []string{"ATTEST-RESID", "ATTEST-HEBGT"}
		management = join(residence, []string{"59284-0", "86531-1", "ATTEST-ASS-COMPL", "ATTEST-DROITS-AM", "AUTORIS-SOINS", "DOCPAT09", "E1762"})
		money      = []string{"REMB"}
		will       = []string{"EXPPAT_1", "EXPPAT_2"}
		social     = []string{"28653-4", "34842-5", "80788-3", "BIL_AUTO"}
		psychiatry = []string{"68599-0", "83901-9"}
		genetics   = []string{"51969-4"}
		birth      = []string{"15508-5", "57055-6", "57057-2", "57075-4", "78489-2", "89235-6"}
		images     = []string{"18748-4", "52040-3", "IMG-KOS"}
		device     = []string{"57833-6", "57828-6", "DISP_AUT"}

		nurse = rule{true, join(management, money, will, genetics)}
		// rehabilitation: physiotherapists, podiatrists and their like
		rehabilitation = rule{true, join(management, money, will, genetics, psychiatry, birth, social,
			[]string{"75496-0", "89601-9", "68817-6", "EXPPAT_3"})}
		fitting = rule{false, join(device, images, []string{"34874-8", "47420-5"})}
	)
	g15 := func(code string) coding { return coding{systemG15, code} }
	return map[coding]rule{
		g15("10"): {true, nil},
		g15("21"): {true, nil},
		g15("26"): {false, join(device, []string{"47420-5", "59283-2"})},
		g15("28"): {false, join(device, []string{"78513-9"})},
		g15("31"): {false, join(images, []string{"57833-6", "57832-8", "83836-7"})},
		g15("32"): {false, join(images, []string{"34794-8", "55115-0", "77604-7"})},
		g15("40"): {true, join(management, money, will, genetics, social, []string{"68817-6"})},
		g15("50"): {true, join(residence, social)},
		g15("60"): nurse,
		g15("69"): nurse,
		g15("70"): rehabilitation,
		g15("80"): rehabilitation,
		g15("81"): fitting,
		g15("82"): fitting,
		g15("83"): fitting,
		g15("84"): {false, join(device, []string{"34874-8", "78513-9"})},
		g15("85"): {false, join(device, images, []string{"34874-8"})},
		g15("86"): {false, []string{"11502-2", "11526-1", "51969-4", "60568-3", "PRESC-BIO"}},
		g15("91"): {false, []string{"11488-4", "11490-0", "11506-3", "34112-3", "47420-5", "57832-8", "59283-2", "60591-5", "80771-9", "83901-9", "PRESC-ORTHOPHO", "PROT_ALD"}},
		g15("92"): {false, []string{"11488-4", "11506-3", "18748-4", "47420-5", "57832-8", "59283-2", "78513-9", "PRESC-ORTHOPTIE"}},
		g15("94"): {false, join(social, []string{"11488-4", "11490-0", "11506-3", "18776-5", "34112-3", "47420-5", "57832-8", "60591-5", "80771-9", "PROT_ALD"})},
		g15("95"): {false, []string{"11502-2", "18776-5", "29274-8", "57828-6", "57832-8", "60591-5", "PROT_ALD"}},
		g15("96"): {false, []string{"11488-4", "11490-0", "11506-3", "47420-5", "57832-8", "59283-2", "60591-5", "80771-9", "83901-9"}},
		g15("98"): {false, join(images, []string{"55115-0", "77436-4", "DOCPAT04"})},

		{systemR85, "330"}: {false, join(social, []string{"11490-0", "18776-5", "59284-0", "60591-5", "83869-8", "83981-1", "88348-8"})},
		{systemR85, "317"}: {true, join(management, will, genetics, social, birth)},
	}
}

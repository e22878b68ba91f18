package storetest

import (
	"testing"

	"opendmp/store"
)

// Engine is one set of data. Open opens it; it is called again only after the
// store opened before was closed, and finds what was there.
type Engine interface {
	Open(t testing.TB) store.Store
}

// Run runs the suite. fresh makes an empty Engine, and is called for each test;
// what it makes goes away with t.
func Run(t *testing.T, fresh func(t *testing.T) Engine) {
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) { test.run(t, fresh(t)) })
	}
}

type test struct {
	name string
	run  func(*testing.T, Engine)
}

func tests() []test {
	return []test{
		{"RoundTrip", testRoundTrip},
		{"Reopen", testReopen},
		{"EmptyValues", testEmptyValues},
		{"EmptyStore", testEmptyStore},
		{"Times", testTimes},
		{"Identifiers", testIdentifiers},

		{"Header", testHeader},
		{"AllOrNothing", testAllOrNothing},
		{"Model", testModel},
		{"Precedence", testPrecedence},
		{"InvalidTx", testInvalidTx},
		{"Versions", testVersions},

		{"NoLostUpdate", testNoLostUpdate},
		{"NoHalfCommit", testNoHalfCommit},
		{"ReadYourWrites", testReadYourWrites},

		{"Claims", testClaims},
		{"ClaimRace", testClaimRace},
		{"DropAndClaim", testDropAndClaim},
		{"Finds", testFinds},

		{"EventPages", testEventPages},
		{"EventPagesWhileInserting", testEventPagesWhileInserting},
		{"EventsAnywhere", testEventsAnywhere},
		{"Pending", testPending},

		{"ContentSizes", testContentSizes},
		{"ContentStreamed", testContentStreamed},
		{"Adopt", testAdopt},
		{"UploadFails", testUploadFails},
		{"CollectUploads", testCollectUploads},
		{"Erase", testErase},

		{"State", testState},
		{"StateRace", testStateRace},
		{"StateExpiry", testStateExpiry},
		{"StateList", testStateList},

		{"Cancelled", testCancelled},
		{"Closed", testClosed},
		{"CloseUnderLoad", testCloseUnderLoad},
	}
}

// open opens an engine for one test.
func open(t testing.TB, e Engine) store.Store {
	t.Helper()
	s := e.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

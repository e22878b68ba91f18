package server_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a test leaves something running: a server that stops must
// stop whole.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

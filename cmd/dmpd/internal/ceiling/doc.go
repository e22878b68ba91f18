// Package ceiling is the most that a server could do on this machine with our
// store: a bare handler that knows no FHIR, no caller, no key and no rule, and
// still answers as many bytes and makes the same durable commits as ours does.
// make bench measures it with the same client in the same run and prints ours as
// a share of it.
//
// It holds synthetic bytes only and writes them without package emit, which is
// its purpose: it is the one exemption from that rule (doors_test.go).
package ceiling

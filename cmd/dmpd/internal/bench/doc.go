// Package bench measures a server from outside: it starts the real program as a
// child process, loads records over HTTP, asks from one and from many
// connections, and does the same to the ceiling (package ceiling).
//
// It promises that every call that it counts was authenticated, judged and
// durably audited by the server, and answered as it must be: one wrong answer
// ends the run. Latencies go into an HdrHistogram; nothing is averaged.
//
// The client shares the machine with the server, so that it is as lean as it can
// be: prepared requests on plain sockets. What it costs is in both figures, ours
// and the ceiling's.
package bench

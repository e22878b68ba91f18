// Package demo tells the story of a shared medical record in the terminal, in
// French, on a running sandbox: it sends each request as the one who would, shows
// it and its answer in a line, and holds the answer against what the rules say.
//
// It promises to fail at the first step that is not as told. It refuses to know
// anything of the server but its HTTP interface.
package demo

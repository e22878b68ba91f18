// Command dmpd is the OpenDMP server and its operator's tool.
//
//	dmpd serve --sandbox     a complete DMP on this machine, with invented people
//	dmpd serve               the server, with the settings of a real one
//	dmpd init                the keys and the empty store of a real one
//	dmpd migrate             the schema and the indexes of a store, and nothing more
//	dmpd copy                a whole store from one engine to another, verified
//	dmpd token               an access token for a persona of the sandbox
//	dmpd sandbox ids         who is who in the sandbox
//	dmpd sandbox load        the first start of a sandbox, for several servers
//	dmpd demo                the whole story in the terminal, on a server of its own
//	dmpd bench               how fast it is, with the ceiling of the machine beside
//	dmpd matrix              the habilitation matrix: show, check, compare, import
//	dmpd explain             whether somebody may read a document, and by which rules
//	dmpd version
//
// It wires the packages together and is the only place that knows all of them.
// It promises to start whole or not at all, to say in one sentence why not, and
// to stop cleanly on SIGTERM. It refuses to run without settings that a real
// service needs, and to show the sandbox to a network.
package main

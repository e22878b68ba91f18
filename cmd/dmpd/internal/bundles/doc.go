// Package bundles makes the two bundles that a hospital sends, for the
// demonstration and the bench: the opening of a dossier and a document with its
// content (ITI-65). They are what any client could send; nothing in them is
// ours.
//
// Hôpital Nord of the sandbox is who opens, is authorised and is the author.
package bundles

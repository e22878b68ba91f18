package policy

import (
	"embed"
	"io/fs"
)

//go:embed matrix/*.csv matrix/sandbox/*.csv
var matrixFiles embed.FS

// PublishedMatrix returns the tables that come with the program: the cells that
// public texts name, each with its source, all others unknown. An operator
// replaces them by the official table.
func PublishedMatrix() fs.FS { return subtree("matrix") }

// SandboxMatrix returns the tables of the sandbox: the published cells, completed
// by invented ones (Matrix.Synthetic). They are never for production.
func SandboxMatrix() fs.FS { return subtree("matrix/sandbox") }

func subtree(dir string) fs.FS {
	sub, err := fs.Sub(matrixFiles, dir)
	if err != nil {
		panic(err) // only for an invalid path, and those above are constants
	}
	return sub
}

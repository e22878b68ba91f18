package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"opendmp/directory"
	"opendmp/sandbox"
)

// rereadDirectory is how often a server looks whether the file of the directory
// changed. It does daily, at its source.
const rereadDirectory = time.Minute

// inspectDirectory looks for the file of the directory. A start reads it whole.
func (s settings) inspectDirectory(f *faults) {
	if s.Annuaire == "" {
		return
	}
	info, err := os.Stat(s.Annuaire)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", s.Annuaire)
	}
	f.set("annuaire", "give the file PS_LibreAcces_Personne_activite_….txt of the extraction, unpacked", err)
}

// withDirectory returns the plan with the directory of the settings: that of a file,
// in a sandbox without one that of the cast, or none. A file is read anew when it
// changes.
func (p plan) withDirectory(s settings, log *slog.Logger) (plan, error) {
	switch {
	case s.Annuaire != "":
		f, err := directory.Open(s.Annuaire, log)
		if err != nil {
			return p, fmt.Errorf("annuaire: %w", err)
		}
		p.directory = f
		p.work = append(slices.Clip(p.work), func(ctx context.Context) { f.Run(ctx, rereadDirectory) })
	case s.Sandbox:
		p.directory = sandbox.Directory()
	}
	return p, nil
}

package directory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// ErrShrunk is that an extraction has less than half of the professionals of the one
// in use: more likely a copy cut short than so many who left.
var ErrShrunk = errors.New("directory: less than half of the professionals are left")

// File is the public extraction of the Annuaire Santé in a file. It keeps answering
// by the last whole one that it read: an extraction that cannot be read changes
// nothing.
type File struct {
	name  string
	log   *slog.Logger
	index atomic.Pointer[Index]
	// seen is the file as it was when it was last read, well or not.
	seen stamp
}

// stamp tells one state of a file from another.
type stamp struct {
	size     int64
	modified time.Time
}

func stampOf(i fs.FileInfo) stamp { return stamp{i.Size(), i.ModTime()} }

// Open reads an extraction (ReadExtract) and returns it as a directory. The log gets
// what is read and what cannot be; none if nil.
func Open(name string, log *slog.Logger) (*File, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &File{name: name, log: log}
	if _, err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Reload reads the file if it changed since it was last read, and tells whether
// another one is in use now. The errors are those of the file and of ReadExtract, and
// ErrShrunk. A file that changes while it is read is left for the next time. One
// goroutine at a time may call it.
func (f *File) Reload() (bool, error) {
	in, err := os.Open(f.name)
	if err != nil {
		return false, fmt.Errorf("directory: %w", err)
	}
	defer in.Close()
	before, err := in.Stat()
	if err != nil {
		return false, fmt.Errorf("directory: %w", err)
	}
	if stampOf(before) == f.seen {
		return false, nil
	}
	x, err := ReadExtract(in)
	if after, statErr := in.Stat(); statErr != nil || stampOf(after) != stampOf(before) {
		return false, errors.Join(fmt.Errorf("%w: %s changes while it is read", ErrExtract, f.name), statErr)
	}
	f.seen = stampOf(before)
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.name, err)
	}
	return true, f.use(x)
}

// use takes an extraction into use.
func (f *File) use(x Extract) error {
	professionals, practices, structures := x.Index.Size()
	if now := f.index.Load(); now != nil {
		if had, _, _ := now.Size(); professionals < had/2 {
			return fmt.Errorf("%s: %w: %d of %d", f.name, ErrShrunk, professionals, had)
		}
	}
	f.index.Store(x.Index)
	f.log.Info("directory read", "file", f.name, "lines", x.Lines,
		"professionals", professionals, "practices", practices, "structures", structures)
	if x.Left > 0 {
		f.log.Warn("numbers of structures that no register could have given were left out", "file", f.name,
			"numbers", x.Left, "firstLine", x.LeftFirst)
	}
	return nil
}

// Run reads the file anew whenever it changed, looking every so often, until ctx
// ends.
func (f *File) Run(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := f.Reload(); err != nil {
				f.log.Error("directory not read anew: the last one stays in use", "error", err.Error())
			}
		}
	}
}

// Professionals implements Directory.
func (f *File) Professionals(ctx context.Context, q ProfessionalQuery) (Found[Professional], error) {
	return f.index.Load().Professionals(ctx, q)
}

// Structures implements Directory.
func (f *File) Structures(ctx context.Context, q StructureQuery) (Found[Structure], error) {
	return f.index.Load().Structures(ctx, q)
}

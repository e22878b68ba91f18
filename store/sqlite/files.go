package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"opendmp/store"
)

// files keeps the contents that are too large for the database, a file each,
// under <dir>/<first byte of the id>/<dossier>-<id>, all in hexadecimal.
type files struct {
	dir string
	now func() time.Time

	mu   sync.Mutex
	busy map[string]bool // being uploaded: Collect keeps off
}

// unfinished ends the name of a file that is being written.
const unfinished = ".part"

func openFiles(dir string, now func() time.Time) (*files, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	return &files{dir: dir, now: now, busy: make(map[string]bool)}, nil
}

func (f *files) path(d store.Dossier, id store.ContentID) string {
	return filepath.Join(f.dir, hex.EncodeToString(id[:1]), hex.EncodeToString(d[:])+"-"+hex.EncodeToString(id[:]))
}

// parsePath is the inverse of path, of unfinished files too; ok is false for any
// other file.
func parsePath(path string) (d store.Dossier, id store.ContentID, ok bool) {
	first, second, found := strings.Cut(strings.TrimSuffix(filepath.Base(path), unfinished), "-")
	if !found || len(first) != 2*len(d) || len(second) != 2*len(id) {
		return d, id, false
	}
	_, err1 := hex.Decode(d[:], []byte(first))
	_, err2 := hex.Decode(id[:], []byte(second))
	return d, id, err1 == nil && err2 == nil
}

// reserve keeps a path for one upload. It reports false when another has it.
func (f *files) reserve(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[path] {
		return false
	}
	f.busy[path] = true
	return true
}

func (f *files) release(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, path)
}

// write copies r into path, which the caller has reserved. When it returns nil
// the file survives a power cut; otherwise nothing stands at path that was not
// there before. An error of r comes back as it is; all others are
// store.ErrUnavailable.
func (f *files) write(ctx context.Context, path string, r io.Reader) error {
	src := &source{ctx: ctx, r: r}
	err := f.place(path, src)
	if src.failed != nil {
		return src.failed
	}
	return unavailable(err)
}

// place creates beside path, syncs, renames, and syncs the directory.
func (f *files) place(path string, src *source) error {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	part := path + unfinished
	err := f.fill(part, src)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return syncDir(filepath.Dir(path))
}

// fill copies, dates the file by the engine's clock, and syncs.
func (f *files) fill(part string, src *source) error {
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, src)
	if err == nil {
		now := f.now()
		err = os.Chtimes(part, now, now)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// older lists the files last written before a time.
func (f *files) older(before time.Time) ([]string, error) {
	var old []string
	err := filepath.WalkDir(f.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // renamed or removed meanwhile
		}
		if err == nil && info.ModTime().Before(before) {
			old = append(old, path)
		}
		return err
	})
	return old, err
}

// source reads until its context ends, and remembers a failure of its reader.
type source struct {
	ctx    context.Context
	r      io.Reader
	failed error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

// makeDir creates a directory that only its owner can enter, and what leads to
// it, durably. One that exists keeps its mode: it is the operator's.
func makeDir(dir string) error {
	_, err := os.Stat(dir)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sqlite: %w", err)
	}
	return syncDir(filepath.Dir(dir))
}

// createPrivate creates an empty file of mode 0600, or gives that mode to the
// file there. SQLite gives the same mode to the files it puts beside.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sqlite: syncing %s: %w", dir, err)
	}
	return nil
}

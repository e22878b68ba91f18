package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"opendmp/store"
)

// openOnce is the child that opens a directory and says how it went.
func openOnce(dir string) {
	s, err := Open(context.Background(), dir, Options{})
	fmt.Println(errors.Is(err, ErrLocked), err)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		os.Exit(1)
	}
}

func runChild(t *testing.T, dir string) string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"=open", childDir+"="+dir)
	out, _ := child.CombinedOutput() // it says itself how it went
	return string(out)
}

func TestSecondProcessRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if out := runChild(t, dir); !strings.HasPrefix(out, "true ") || !strings.Contains(out, dir) {
		t.Errorf("the second process says %q", out)
	}
	if _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second Open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out := runChild(t, dir); out != "false <nil>\n" {
		t.Errorf("after Close, the second process says %q", out)
	}
}

// TestModes: whatever the umask, nobody else can enter the directory or read a
// file in it.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "a", "data")
	s := open(t, dir, Options{})
	defer s.Close()
	upload(t, s, store.Dossier{1}, store.ContentID{1}, "content")
	kinds := map[string]int{}
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		kinds[filepath.Ext(path)]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds[".db"] != 1 || kinds[".db-wal"] != 1 || kinds[".db-shm"] != 1 {
		t.Errorf("looked at %v", kinds)
	}
}

// TestModeOfOldFile: a database that became readable by others is closed to them.
func TestModeOfOldFile(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, databaseName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	defer open(t, dir, Options{}).Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// script changes a database that no Store has open.
func script(t *testing.T, dir, sql string) {
	t.Helper()
	c, err := dial(context.Background(), filepath.Join(dir, databaseName))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.script(sql), c.close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignRefused(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, dir string){
		"application_id": func(t *testing.T, dir string) {
			script(t, dir, "PRAGMA application_id = 7; CREATE TABLE t (a)")
		},
		"tables without application_id": func(t *testing.T, dir string) {
			script(t, dir, "CREATE TABLE t (a)")
		},
		"not a database": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, databaseName), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, databaseName)
			if err := createPrivate(path); err != nil {
				t.Fatal(err)
			}
			make(t, dir)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrForeign) {
				t.Errorf("got %v, want ErrForeign", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(before) != string(after) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

func TestNewerRefused(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	known := len(migrations())
	script(t, dir, fmt.Sprintf("PRAGMA user_version = %d", known+1))
	_, err := Open(context.Background(), dir, Options{})
	if !errors.Is(err, ErrNewer) {
		t.Fatalf("got %v, want ErrNewer", err)
	}
	for _, word := range []string{fmt.Sprint("schema ", known+1), fmt.Sprint("knows ", known), dir} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("no %q in %q", word, err)
		}
	}
	script(t, dir, fmt.Sprintf("PRAGMA user_version = %d", known))
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRefusedLeavesNoLock: a refused Open does not keep the directory.
func TestRefusedLeavesNoLock(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	script(t, dir, "PRAGMA application_id = 7")
	for range 2 {
		if _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrForeign) {
			t.Fatalf("got %v, want ErrForeign", err)
		}
	}
}

// TestMigrateStepFails: a step that breaks leaves the schema as it was.
func TestMigrateStepFails(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	c, err := dial(context.Background(), filepath.Join(dir, databaseName))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := migrateStep(c, "CREATE TABLE extra (a); CREATE TABLE row (a);", 99); err == nil {
		t.Fatal("a table was made twice")
	}
	for sql, want := range map[string]int64{
		"PRAGMA user_version": int64(len(migrations())),
		"SELECT count(*) FROM sqlite_schema WHERE name = 'extra'": 0,
	} {
		if n, err := c.number(sql); err != nil || n != want {
			t.Errorf("%s: %d, %v", sql, n, err)
		}
	}
}

// TestSettings looks at what durability rests on, on the connections themselves.
func TestSettings(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer s.Close()
	ctx := context.Background()
	err := s.writer.do(ctx, 0, func(c *conn) error {
		for pragma, want := range map[string]int64{"synchronous": 2, "application_id": applicationID, "query_only": 0} {
			if n, err := c.number("PRAGMA " + pragma); err != nil || n != want {
				t.Errorf("writer: %s is %d, %v", pragma, n, err)
			}
		}
		if mode, err := c.text("PRAGMA journal_mode"); err != nil || mode != "wal" {
			t.Errorf("journal_mode is %q, %v", mode, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	err = s.read(ctx, func(c *conn) error {
		_, err := c.exec("DELETE FROM header")
		return err
	})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a reader writes: %v", err)
	}
}

// TestPathIsNoURI: no character of a path is taken for a parameter.
func TestPathIsNoURI(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a?mode=memory&b#c%41 é")
	s := open(t, dir, Options{})
	if err := s.Commit(context.Background(), store.Tx{Dossier: store.Dossier{1}, Header: store.Header{State: store.Active, Key: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, databaseName)); err != nil || info.Size() == 0 {
		t.Fatalf("no database there: %v", err)
	}
}

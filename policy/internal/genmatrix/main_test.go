package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const (
	terminology = "../../../testdata/terminology"
	policy      = "../.."
)

// The committed files are what the generator makes of the committed terminology.
func TestCommittedFilesAreGenerated(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "matrix", "sandbox"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := run(terminology, dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fileTypes, fileColumns, fileKnown, fileSandbox} {
		made, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(filepath.Join(policy, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(made, committed) {
			t.Errorf("%s is not what go generate makes", name)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := func() fstest.MapFS {
		return fstest.MapFS{
			"document-types.csv":                   {Data: []byte("type_code,type_system,class_code,label_fr\n11488-4,LOINC,10,CR\n")},
			"professions.csv":                      {Data: []byte("profession_code,label_fr\n10,Médecin\n")},
			"habilitation-known-cells.csv":         {Data: []byte("a,b,c,d,e,f\nS,10,T,X,allow,s\n")},
			"habilitation-inferred-pharmacist.csv": {Data: []byte("a,b,c,d,e,f\n")},
			"habilitation-roles.csv":               {Data: []byte("a,b,c,d\n")},
			fileSpecialties:                        {Data: []byte("a,b,c\n")},
			fileOthers:                             {Data: []byte("a,b,c\n")},
		}
	}
	for name, c := range map[string]struct{ file, data, want string }{
		"system of a type":    {"document-types.csv", "h,h,h,h\nX,ICD,10,Y\n", "unknown system"},
		"role":                {"habilitation-roles.csv", "h,h,h,h\nROLE:x,11488-4,deny,s\n", "unknown role"},
		"type of a role":      {"habilitation-roles.csv", "h,h,h,h\nROLE:coordination,1-1,deny,s\n", "unknown type"},
		"disagreement":        {"habilitation-known-cells.csv", "h,h,h,h,h,h\nS,10,T,X,allow,s\nS,10,T,X,deny,s\n", "is allow and deny"},
		"number of fields":    {"professions.csv", "h\n10\n", "wrong number of fields"},
		"a role twice":        {fileSpecialties, "h,h,h\n300,1.2.250.1.213.1.6.1.107,a\n300,1.2.250.1.213.1.6.1.107,b\n", "300 twice"},
		"other professions":   {fileOthers, "h,h,h\n10,1.2.3,a\n", "unknown system"},
		"columns of the rule": {"professions.csv", "h,h\n10,Médecin\n", "rule for the unknown column"},
	} {
		fsys := good()
		fsys[c.file] = &fstest.MapFile{Data: []byte(c.data)}
		if _, err := read(fsys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

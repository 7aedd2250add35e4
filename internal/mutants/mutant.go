package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// mutant is one breakage: a part of a file that is replaced.
type mutant struct {
	path       string
	src        []byte
	start, end int // offsets of what is replaced
	line       int
	with       string
}

// String is the position, and the code before and after.
func (m mutant) String() string {
	after := m.with
	if after == "" {
		after = "(left out)"
	}
	return fmt.Sprintf("%s:%d: %s -> %s", filepath.Base(m.path), m.line, oneLine(string(m.src[m.start:m.end])), oneLine(after))
}

func oneLine(code string) string {
	code = strings.Join(strings.Fields(code), " ")
	if len(code) > 100 {
		code = code[:100] + "..."
	}
	return code
}

func (m mutant) compare(other mutant) int {
	return cmp.Or(cmp.Compare(m.path, other.path), cmp.Compare(m.start, other.start), cmp.Compare(m.with, other.with))
}

// overlay writes the broken file and the JSON for `go build -overlay`, and returns the
// path of the latter.
func (m mutant) overlay(dir string) (string, error) {
	file := filepath.Join(dir, "mutant.go")
	code := string(m.src[:m.start]) + m.with + string(m.src[m.end:])
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {m.path: file}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// mutants returns every breakage of the package's files that are compiled here.
func (p goPackage) mutants() ([]mutant, error) {
	var all []mutant
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		src, err := os.ReadFile(path) //nolint:gosec // a source file of the package
		if err != nil {
			return nil, err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		f := finder{path: path, src: src, files: files}
		ast.Inspect(file, f.visit)
		all = append(all, f.found...)
	}
	return all, nil
}

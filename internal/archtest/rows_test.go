package archtest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rowsDoc lists each kind of hostile input with the tests for it.
const rowsDoc = "docs/hostile-input.md"

var (
	rowLine  = regexp.MustCompile(`^\| ([TRHO]\d\d) \| (.*) \| (.*) ?\|$`)
	rowTests = regexp.MustCompile("`([a-z0-9/]+)` ((?:Test|Benchmark)\\w+(?:, (?:Test|Benchmark)\\w+)*)")
)

// Every test that the document names exists where it says so, and every row names one.
func TestRowsNameTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("../..", rowsDoc))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range rowFaults(t, "../..", string(text)) {
		t.Errorf("%s: %s", rowsDoc, fault)
	}
}

// The check finds each kind of fault.
func TestRowFaults(t *testing.T) {
	for text, want := range map[string]string{
		"| T01 | x | `internal/archtest` TestRowFaults |":               "T02 is missing",
		"| T01 | x | `internal/archtest` TestRowFaults, TestNotThere |": "T01: internal/archtest has no TestNotThere",
		"| T01 | x | `internal/nowhere` TestRowFaults |":                "T01: internal/nowhere has no TestRowFaults",
		"| T01 | x | |": "T01 names no test",
		"| T01 | x | `internal/archtest` TestRowFaults |\n| T01 | y | z |": "T01 stands there twice",
	} {
		if got := strings.Join(rowFaults(t, "../..", text), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s\ngives %s\nwant %s", text, got, want)
		}
	}
}

func rowFaults(t *testing.T, root, text string) (faults []string) {
	t.Helper()
	seen := map[string]bool{}
	known := map[string]map[string]bool{}
	for line := range strings.Lines(text) {
		m := rowLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		id, input, cell := m[1], m[2], m[3]
		if seen[id] {
			faults = append(faults, id+" stands there twice")
		}
		seen[id] = true
		found := rowTests.FindAllStringSubmatch(cell, -1)
		if len(found) == 0 && !strings.Contains(input, "there are none") {
			faults = append(faults, id+" names no test")
		}
		for _, f := range found {
			pkg := f[1]
			if known[pkg] == nil {
				known[pkg] = testsOf(t, filepath.Join(root, pkg))
			}
			for name := range strings.SplitSeq(f[2], ", ") {
				if !known[pkg][name] {
					faults = append(faults, fmt.Sprintf("%s: %s has no %s", id, pkg, name))
				}
			}
		}
	}
	for kind, last := range map[string]int{"T": 33, "R": 17, "H": 16, "O": 15} {
		for n := range last {
			if id := fmt.Sprintf("%s%02d", kind, n+1); !seen[id] {
				faults = append(faults, id+" is missing")
			}
		}
	}
	return faults
}

// testsOf returns the names of the tests and benchmarks of a package.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

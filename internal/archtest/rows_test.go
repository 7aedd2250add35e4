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

// testName is the name of a test in Go, or of a file with tests in TypeScript or Python.
const testName = `(?:(?:Test|Benchmark|Fuzz)\w+|[\w.-]+\.test\.ts|test_\w+\.py)`

var (
	rowLine = regexp.MustCompile(`^\| ([TRHO]\d\d) \| (.*) \| (.*) ?\|$`)
	// A folder, and names of tests or of files with tests in it.
	rowTests = regexp.MustCompile("`([a-z0-9/]+)` (" + testName + "(?:, " + testName + ")*)")
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
	known := testNames{}
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
		named, missing := known.check(t, root, cell)
		if named == 0 && !strings.Contains(input, "there are none") {
			faults = append(faults, id+" names no test")
		}
		for _, name := range missing {
			faults = append(faults, id+": "+name)
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

// testNames has the names of the tests of each folder that a document names.
type testNames map[string]map[string]bool

// check returns how many tests the cell of a table names, and which of them do not exist.
func (known testNames) check(t *testing.T, root, cell string) (named int, missing []string) {
	t.Helper()
	for _, f := range rowTests.FindAllStringSubmatch(cell, -1) {
		dir := f[1]
		if known[dir] == nil {
			known[dir] = testsOf(t, filepath.Join(root, dir))
		}
		for name := range strings.SplitSeq(f[2], ", ") {
			named++
			if !known[dir][name] {
				missing = append(missing, fmt.Sprintf("%s has no %s", dir, name))
			}
		}
	}
	return named, missing
}

// testsOf returns the names of the tests, benchmarks and fuzz targets of a package, and of the files with tests
// in the folders test and tests.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, path := range files(t, dir, "*_test.go") {
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
	for _, path := range append(files(t, dir, "test/*.test.ts"), files(t, dir, "tests/test_*.py")...) {
		names[filepath.Base(path)] = true
	}
	return names
}

func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

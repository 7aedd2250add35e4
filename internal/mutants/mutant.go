package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is one breakage.
type mutant struct {
	number        int
	path          string
	line          int
	before, after string // the code
}

// String is the position, and the code before and after.
func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s -> %s", filepath.Base(m.path), m.line, m.before, m.after)
}

func (m mutant) compare(other mutant) int {
	return cmp.Or(cmp.Compare(m.path, other.path), cmp.Compare(m.line, other.line), cmp.Compare(m.number, other.number))
}

func oneLine(code string) string {
	code = strings.Join(strings.Fields(code), " ")
	if len(code) > 100 {
		code = code[:100] + "..."
	}
	return code
}

// switches is the file that is added to an instrumented package. The environment chooses
// the one mutant that is on, and the file to which the numbers of all that were reached
// are written.
const switches = `package %s

import (
	mutantOS "os"
	mutantConv "strconv"
	mutantAtomic "sync/atomic"
)

var (
	mutantNumber, _ = mutantConv.Atoi(mutantOS.Getenv("MUTANT"))
	mutantReached   = mutantOS.Getenv("MUTANT_REACHED")
	mutantSeen      [%d]mutantAtomic.Bool
)

func mutantOn(n int) bool {
	if mutantReached != "" {
		if !mutantSeen[n].Swap(true) {
			f, err := mutantOS.OpenFile(mutantReached, mutantOS.O_APPEND|mutantOS.O_CREATE|mutantOS.O_WRONLY, 0o600)
			if err != nil {
				panic(err)
			}
			f.WriteString(mutantConv.Itoa(n) + "\n")
			f.Close()
		}
	}
	return n == mutantNumber
}

func mutantPick[T any](n int, broken, whole T) T {
	if mutantOn(n) {
		return broken
	}
	return whole
}

func mutantError(n int, err error) error {
	if mutantOn(n) {
		return nil
	}
	return err
}
`

// instrumented is a package's sources with a switch for every mutant.
type instrumented struct {
	mutants []mutant          // numbered from 1
	files   map[string][]byte // by path
}

// instrument instruments the files of a package, except for the lines that may not be.
func instrument(p goPackage, except map[string]bool) (*instrumented, error) {
	in := &instrumented{files: map[string][]byte{}}
	next, name := 1, ""
	for _, file := range p.GoFiles {
		path := filepath.Join(p.Dir, file)
		src, err := os.ReadFile(path) //nolint:gosec // a source file of the package
		if err != nil {
			return nil, err
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		f := finder{path: path, src: src, files: files, next: next}
		for _, decl := range parsed.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok {
				ast.Inspect(function, f.visit)
			}
		}
		in.files[path] = f.apply(except)
		in.mutants = slices.Concat(in.mutants, f.kept(except))
		next, name = f.next, parsed.Name.Name
	}
	in.files[filepath.Join(p.Dir, "mutant_switches.go")] = fmt.Appendf(nil, switches, name, next)
	return in, nil
}

func lineName(path string, line int) string { return fmt.Sprintf("%s:%d", filepath.Base(path), line) }

func (f *finder) kept(except map[string]bool) []mutant {
	return slices.DeleteFunc(slices.Clone(f.found), func(m mutant) bool { return except[lineName(m.path, m.line)] })
}

// apply returns the source with the edits, two for each mutant.
func (f *finder) apply(except map[string]bool) []byte {
	type placed struct {
		edit
		order int
	}
	var all []placed
	for i, m := range f.found {
		if except[lineName(m.path, m.line)] {
			continue
		}
		all = append(all, placed{f.edits[2*i], i}, placed{f.edits[2*i+1], -i})
	}
	slices.SortFunc(all, func(a, b placed) int {
		kind := func(p placed) int {
			if p.opens {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(kind(a), kind(b)), cmp.Compare(a.order, b.order))
	})
	var out bytes.Buffer
	at := 0
	for _, p := range all {
		out.Write(f.src[at:p.offset])
		out.WriteString(p.text)
		at = p.offset
	}
	out.Write(f.src[at:])
	return out.Bytes()
}

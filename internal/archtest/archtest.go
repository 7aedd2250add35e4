// Package archtest holds the law of who may import whom, and the check of it.
//
// [Law] is the table: for each package which of ours it may import, and which modules of
// others it is the only door to. [Check] reads the imports of every Go file of a module,
// whatever its build tags, and lists what breaks the law; the test of this package runs it
// on the repository.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Rule is what one package may import besides the standard library.
type Rule struct {
	// Ours are packages of this module, by their path in it.
	Ours []string
	// Doors are import paths of others, with everything beneath them. No other package
	// may import them.
	Doors []string
	// TestDoors are import paths that only its tests may import, besides [TestLibraries].
	TestDoors []string
}

// Check reads the module in the folder root and returns each breach of the law, sorted.
// Tests may import any package of ours, for they run on real parts.
func Check(root, module string, law map[string]Rule) ([]string, error) {
	c := &checker{root: root, module: module, law: law, seen: map[string]bool{}}
	c.checkDoors()
	if err := filepath.WalkDir(root, c.visit); err != nil {
		return nil, fmt.Errorf("reading the imports: %w", err)
	}
	for pkg := range law {
		if !c.seen[pkg] {
			c.breach("%s is in the table, and there is no such package", pkg)
		}
	}
	slices.Sort(c.breaches)
	return slices.Compact(c.breaches), nil
}

// outside is the package to which one in a folder "internal" belongs; the package itself if
// it is in none.
func outside(pkg string) string {
	owner, _, _ := strings.Cut(pkg, "/internal/")
	return owner
}

type checker struct {
	root, module string
	law          map[string]Rule
	seen         map[string]bool
	breaches     []string
}

func (c *checker) breach(format string, args ...any) {
	c.breaches = append(c.breaches, fmt.Sprintf(format, args...))
}

// checkDoors makes sure that each module of others has one door: a package, which may share
// it with the packages in its own folder "internal".
func (c *checker) checkDoors() {
	doors := map[string]string{}
	for _, pkg := range slices.Sorted(maps.Keys(c.law)) {
		for _, door := range c.law[pkg].Doors {
			for other, owner := range doors {
				if outside(owner) != outside(pkg) && (beneath(door, other) || beneath(other, door)) {
					c.breach("%s has two doors: %s and %s", door, owner, pkg)
				}
			}
			doors[door] = pkg
		}
	}
}

// visit reads one file, and leaves out folders that are no part of the module.
func (c *checker) visit(name string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case entry.IsDir():
		return c.enter(name, entry.Name())
	case !strings.HasSuffix(name, ".go"):
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(c.root, filepath.Dir(name))
	if err != nil {
		return err
	}
	pkg := filepath.ToSlash(folder)
	c.seen[pkg] = true
	rule, known := c.law[pkg]
	if !known {
		c.breach("%s is not in the table", pkg)
		return nil
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		c.judge(pkg, rule, imported, strings.HasSuffix(name, "_test.go"))
	}
	return nil
}

// enter decides whether a folder is read.
func (c *checker) enter(name, base string) error {
	if name == c.root {
		return nil
	}
	if base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir // a module of its own
	}
	return nil
}

// judge notes an import that the rule does not allow.
func (c *checker) judge(pkg string, rule Rule, imported string, test bool) {
	if ours, ok := strings.CutPrefix(imported, c.module+"/"); ok {
		if ours != pkg && !test && !slices.Contains(rule.Ours, ours) {
			c.breach("%s imports %s, which its rule does not allow", pkg, ours)
		}
		return
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	allowed := rule.Doors
	if test {
		allowed = slices.Concat(rule.Doors, rule.TestDoors, TestLibraries())
	}
	if !slices.ContainsFunc(allowed, func(door string) bool { return beneath(imported, door) }) {
		where := pkg
		if test {
			where = "a test of " + pkg
		}
		c.breach("%s imports %s, to which it is no door", where, imported)
	}
}

// beneath tells whether an import path is door, or lies under it.
func beneath(imported, door string) bool {
	return imported == door || strings.HasPrefix(imported, path.Clean(door)+"/")
}

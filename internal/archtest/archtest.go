// Package archtest checks which package of the repository imports which.
//
// [Law] is the table: for each package, the packages of this module that it may import, and
// the third-party modules that no other package may import. [Check] reads the imports of
// every Go file, whatever its build tags, and lists those that the table does not allow. The
// test of this package runs it on the repository.
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

// Rule lists what a package may import besides the standard library.
type Rule struct {
	// Ours are packages of this module, by their path relative to it.
	Ours []string
	// Doors are third-party import paths, with the packages below them. Only this package
	// and those in its own folder internal may import them.
	Doors []string
	// TestDoors are import paths that only its tests may import, besides [TestLibraries].
	TestDoors []string
}

// Check reads the module in the folder root and returns all breaches of the table, sorted.
// Tests may import any package of this module, since they test with the real ones.
func Check(root, module string, law map[string]Rule) ([]string, error) {
	c := &checker{root: root, module: module, law: law, seen: map[string]bool{}}
	c.checkDoors()
	if err := filepath.WalkDir(root, c.visit); err != nil {
		return nil, fmt.Errorf("reading the imports: %w", err)
	}
	for pkg := range law {
		if !c.seen[pkg] {
			c.breach("%s is in the table, but there is no such package", pkg)
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

// checkDoors checks that only one package may import a third-party path: it may share it
// with the packages in its own folder "internal".
func (c *checker) checkDoors() {
	doors := map[string]string{}
	for _, pkg := range slices.Sorted(maps.Keys(c.law)) {
		for _, door := range c.law[pkg].Doors {
			if slices.Contains(SharedLibraries(), door) {
				continue
			}
			for other, owner := range doors {
				if outside(owner) != outside(pkg) && (beneath(door, other) || beneath(other, door)) {
					c.breach("%s has two doors: %s and %s", door, owner, pkg)
				}
			}
			doors[door] = pkg
		}
	}
}

// visit checks the imports of one file. It skips folders that are not part of the module.
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
		c.checkImport(pkg, rule, imported, strings.HasSuffix(name, "_test.go"))
	}
	return nil
}

// enter skips the folders that are not part of the module.
func (c *checker) enter(name, base string) error {
	if name == c.root {
		return nil
	}
	if base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir // it is another module
	}
	return nil
}

// checkImport records an import that the rule does not allow.
func (c *checker) checkImport(pkg string, rule Rule, imported string, test bool) {
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
		allowed = slices.Concat(allowed, rule.TestDoors, TestLibraries())
	}
	if !slices.ContainsFunc(allowed, func(door string) bool { return beneath(imported, door) }) {
		where := pkg
		if test {
			where = "a test of " + pkg
		}
		c.breach("%s imports %s, which is not one of its doors", where, imported)
	}
}

// beneath reports whether an import path is door or below it.
func beneath(imported, door string) bool {
	return imported == door || strings.HasPrefix(imported, path.Clean(door)+"/")
}

package postgres

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notServing are the constants of statements that read whole tables when nobody serves, or no table of the store, and
// parts of others.
var notServing = regexp.MustCompile(`^(find|read)Schema$|^(import|export)|^(countIssuers|isUsed|countPartitions|describeSessions|listHead|takeFacts)$`)

// Each statement that serving sends is one whose plan is tested.
func TestStatementsAreComplete(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	tested, found := statements(), 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !isStatement(spec.Values[0]) || notServing.MatchString(spec.Names[0].Name) {
				return true
			}
			found++
			if tested[spec.Names[0].Name] == "" {
				t.Errorf("the plan of %s (%s) is not tested: add it to statements", spec.Names[0].Name, name)
			}
			return true
		})
	}
	if found < 40 {
		t.Errorf("only %d statements were found", found)
	}
}

var startOfStatement = regexp.MustCompile("^[`\"]\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|LOCK)\\s")

func isStatement(value ast.Expr) bool {
	for {
		sum, ok := value.(*ast.BinaryExpr)
		if !ok {
			break
		}
		value = sum.X
	}
	text, ok := value.(*ast.BasicLit)
	return ok && startOfStatement.MatchString(text.Value)
}

package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// finder instruments one file: it inserts a switch for each breakage. It inserts no line
// breaks, so that a compiler's error has the line of the source.
type finder struct {
	path  string
	src   []byte
	files *token.FileSet
	next  int // the number of the next mutant
	found []mutant
	edits []edit
}

// edit inserts code at an offset. Of several at one offset those that close a node come
// first, the inner node's before the outer one's; then those that open one, the outer
// node's first.
type edit struct {
	offset int
	opens  bool
	text   string
}

// around notes a mutant, and inserts code before and after a node. In before, $ stands for
// the mutant's number. The mutant is described by what it makes of the node.
func (f *finder) around(node ast.Node, before, after, description string) {
	f.found = append(f.found, mutant{
		number: f.next, path: f.path, line: f.files.Position(node.Pos()).Line,
		before: oneLine(f.code(node)), after: oneLine(description),
	})
	before = strings.ReplaceAll(before, "$", strconv.Itoa(f.next))
	f.next++
	f.edits = append(f.edits,
		edit{f.files.Position(node.Pos()).Offset, true, before}, edit{f.files.Position(node.End()).Offset, false, after})
}

func (f *finder) code(node ast.Node) string {
	return string(f.src[f.files.Position(node.Pos()).Offset:f.files.Position(node.End()).Offset])
}

// visit is called for every node, the outer ones first.
func (f *finder) visit(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.GenDecl:
		return n.Tok != token.CONST
	case *ast.ArrayType:
		return false
	case *ast.IfStmt:
		f.condition(n.Cond)
	case *ast.CaseClause:
		f.statements(n.Body)
	case *ast.CommClause:
		f.statements(n.Body)
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.SwitchStmt:
		f.cases(n)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.FuncDecl:
		f.returns(n.Type, n.Body)
	case *ast.FuncLit:
		f.returns(n.Type, n.Body)
	}
	return true
}

// cases breaks the conditions of a switch without a tag.
func (f *finder) cases(n *ast.SwitchStmt) {
	if n.Tag != nil {
		return
	}
	for _, clause := range n.Body.List {
		if c, ok := clause.(*ast.CaseClause); ok {
			for _, cond := range c.List {
				f.condition(cond)
			}
		}
	}
}

// condition makes a condition always true and always false. Whether an error is nil stays:
// few tests can make every call fail.
func (f *finder) condition(cond ast.Expr) {
	if c, ok := cond.(*ast.BinaryExpr); ok && f.code(c.X) == "err" && f.code(c.Y) == "nil" {
		return
	}
	f.always(cond, true)
	f.always(cond, false)
}

func (f *finder) always(cond ast.Expr, value bool) {
	if value {
		f.around(cond, "(mutantOn($) || (", "))", "true")
	} else {
		f.around(cond, "(!mutantOn($) && (", "))", "false")
	}
}

// binary breaks what an operator does.
func (f *finder) binary(n *ast.BinaryExpr) {
	switch n.Op { // an operand that counts no more
	case token.LAND:
		f.always(n.X, true)
		f.always(n.Y, true)
		return
	case token.LOR:
		f.always(n.X, false)
		f.always(n.Y, false)
		return
	default:
	}
	broken, comparison := instead(n.Op)
	if broken == token.ILLEGAL || !f.repeatable(n) {
		return
	}
	code := f.code(n.X) + " " + broken.String() + " " + f.code(n.Y)
	if comparison {
		f.around(n, "(mutantOn($) && "+code+" || !mutantOn($) && (", "))", code)
	} else {
		f.around(n, "mutantPick($, "+code+", ", ")", code)
	}
}

// instead returns the operator that an operator is replaced by, ILLEGAL when it stays.
func instead(op token.Token) (_ token.Token, comparison bool) {
	switch op {
	case token.LSS:
		return token.LEQ, true
	case token.LEQ:
		return token.LSS, true
	case token.GTR:
		return token.GEQ, true
	case token.GEQ:
		return token.GTR, true
	case token.ADD:
		return token.SUB, false
	case token.SUB, token.MUL:
		return token.ADD, false
	case token.QUO:
		return token.MUL, false
	default:
		return token.ILLEGAL, false
	}
}

// repeatable reports whether an expression may stand twice in a line, and be evaluated
// twice. Strings, which can only be added, may not.
func (f *finder) repeatable(n *ast.BinaryExpr) bool {
	ok := !strings.Contains(f.code(n), "\n")
	ast.Inspect(n, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncLit:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.BasicLit:
			ok = ok && n.Kind != token.STRING
		case *ast.CallExpr:
			name, isIdent := n.Fun.(*ast.Ident)
			ok = ok && isIdent && slices.Contains([]string{"len", "cap", "min", "max", "int", "int64", "uint64"}, name.Name)
		}
		return ok
	})
	return ok
}

// returns breaks the return statements of a function whose last result is an error, which
// is not returned, or a bool, which is always true or false.
func (f *finder) returns(typ *ast.FuncType, body *ast.BlockStmt) {
	if typ.Results == nil || body == nil {
		return
	}
	results := typ.Results.List
	last, ok := results[len(results)-1].Type.(*ast.Ident)
	if !ok || last.Name != "error" && last.Name != "bool" {
		return
	}
	ast.Inspect(body, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncLit:
			return false // it is visited by itself
		case *ast.ReturnStmt:
			if len(n.Results) == typ.Results.NumFields() {
				f.lastResult(n.Results[len(n.Results)-1], last.Name)
			}
		}
		return true
	})
}

func (f *finder) lastResult(value ast.Expr, typ string) {
	switch name := f.code(value); {
	case name == "nil":
	case typ == "error":
		f.around(value, "mutantError($, ", ")", "nil")
	case name == "true" || name == "false":
		f.always(value, name == "false")
	default:
		f.condition(value)
	}
}

// untouched are the methods whose calls stay: without a lock the tests would need the race
// detector, or hang, and few tests read a log.
var untouched = []string{
	"Lock", "Unlock", "RLock", "RUnlock", "Done", "Debug", "Info", "Warn", "Error", "LogAttrs", "Helper",
}

// statements leaves out calls, assignments, break and continue.
func (f *finder) statements(list []ast.Stmt) {
	for _, statement := range list {
		switch n := statement.(type) {
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); !ok || untouchedCall(call) {
				continue
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				continue
			}
		case *ast.BranchStmt:
			if n.Tok != token.BREAK && n.Tok != token.CONTINUE {
				continue
			}
		case *ast.IncDecStmt:
		default:
			continue
		}
		f.around(statement, "if !mutantOn($) { ", " }", "(left out)")
	}
}

func untouchedCall(call *ast.CallExpr) bool {
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		return slices.Contains(untouched, fun.Sel.Name)
	case *ast.Ident:
		return fun.Name == "panic"
	default:
		return false
	}
}

package main

import (
	"go/ast"
	"go/token"
	"slices"
)

// finder collects the breakages of one file.
type finder struct {
	path  string
	src   []byte
	files *token.FileSet
	found []mutant
}

// replace notes a breakage that puts code before and after a node.
func (f *finder) replace(node ast.Node, before, after string) {
	f.replaceRange(node.Pos(), node.End(), before+f.code(node)+after)
}

func (f *finder) replaceRange(from, to token.Pos, with string) {
	start := f.files.Position(from)
	f.found = append(f.found, mutant{
		path: f.path, src: f.src, start: start.Offset, end: f.files.Position(to).Offset, line: start.Line, with: with,
	})
}

func (f *finder) code(node ast.Node) string {
	return string(f.src[f.files.Position(node.Pos()).Offset:f.files.Position(node.End()).Offset])
}

// visit is called for every node, the outer ones first.
func (f *finder) visit(node ast.Node) bool {
	switch n := node.(type) {
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

// condition makes a condition always true and always false. The condition is still
// evaluated, so that its variables are used. Whether an error is nil stays: few tests can
// make every call fail.
func (f *finder) condition(cond ast.Expr) {
	if c, ok := cond.(*ast.BinaryExpr); ok && f.code(c.X) == "err" && f.code(c.Y) == "nil" {
		return
	}
	f.replace(cond, "(", ") && false")
	f.replace(cond, "(", ") || true")
}

// binary breaks what an operator does.
func (f *finder) binary(n *ast.BinaryExpr) {
	switch n.Op { // an operand that counts no more
	case token.LAND:
		f.replace(n.X, "(", " || true)")
		f.replace(n.Y, "(", " || true)")
	case token.LOR:
		f.replace(n.X, "((", ") && false)")
		f.replace(n.Y, "((", ") && false)")
	default:
		if with := instead(n.Op); with != token.ILLEGAL {
			f.replaceRange(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), with.String())
		}
	}
}

// instead returns the operator that an operator is replaced by, ILLEGAL when it stays.
func instead(op token.Token) token.Token {
	switch op {
	case token.LSS:
		return token.LEQ
	case token.LEQ:
		return token.LSS
	case token.GTR:
		return token.GEQ
	case token.GEQ:
		return token.GTR
	case token.ADD:
		return token.SUB
	case token.SUB:
		return token.ADD
	case token.MUL:
		return token.QUO
	case token.QUO:
		return token.MUL
	default:
		return token.ILLEGAL
	}
}

// returns breaks the return statements of a function: an error is not returned, a
// comparison is always true or false.
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
			f.lastResult(n, last.Name)
		}
		return true
	})
}

func (f *finder) lastResult(n *ast.ReturnStmt, typ string) {
	if len(n.Results) == 0 {
		return
	}
	value := n.Results[len(n.Results)-1]
	name := f.code(value)
	switch {
	case name == "nil":
	case typ == "error":
		f.replaceRange(value.Pos(), value.End(), "nil")
	case name == "true":
		f.replaceRange(value.Pos(), value.End(), "false")
	case name == "false":
		f.replaceRange(value.Pos(), value.End(), "true")
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
		case *ast.IncDecStmt, *ast.BranchStmt:
		default:
			continue
		}
		f.replaceRange(statement.Pos(), statement.End(), "")
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

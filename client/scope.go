package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrScope means that no scope has the given name.
var ErrScope = errors.New("client: unknown scope")

// Scope is one thing that a client may do.
type Scope string

// The scopes of service keys.
const (
	ScopeMint            Scope = "sessions:mint"     // create sessions
	ScopeRead            Scope = "sessions:read"     // read sessions of any user
	ScopeRevoke          Scope = "sessions:revoke"   // end sessions of any user
	ScopeReadRevocations Scope = "revocations:read"  // follow the revocation feed
	ScopeIntrospect      Scope = "tokens:introspect" // ask whether a token is good (RFC 7662)
	ScopeAdmin           Scope = "admin"             // call the admin API
)

// Scopes lists every scope, ScopeAdmin last.
func Scopes() []Scope {
	return []Scope{ScopeMint, ScopeRead, ScopeRevoke, ScopeReadRevocations, ScopeIntrospect, ScopeAdmin}
}

// ParseScope returns the scope of that name. The error wraps [ErrScope] and lists the
// scopes that exist; it does not quote the text.
func ParseScope(text string) (Scope, error) {
	if s := Scope(text); slices.Contains(Scopes(), s) {
		return s, nil
	}
	return "", fmt.Errorf("%w; known scopes are %s", ErrScope, ScopeNames())
}

// ScopeNames returns the names of all scopes in the order of [Scopes], for a message.
func ScopeNames() string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

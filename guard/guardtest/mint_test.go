package guardtest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"issuer.example/guard/guardtest"
	"issuer.example/jwt"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB

	failed string
}

// failedTest is what a recorder ends with.
type failedTest struct{}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(args ...any) {
	r.failed = fmt.Sprint(args...)
	panic(failedTest{})
}

func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// refusal is why a token was not minted, "" if it was.
func refusal(t *testing.T, iss *guardtest.Issuer, token guardtest.Token) string {
	t.Helper()
	r := &recorder{TB: t}
	func() {
		defer func() {
			if failed := recover(); failed != nil && failed != (failedTest{}) {
				panic(failed)
			}
		}()
		iss.MintToken(r, token)
	}()
	return r.failed
}

func extra(text string) guardtest.Token {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		panic(err)
	}
	return guardtest.Token{Claims: jwt.Claims{Extra: members}}
}

// A service's tests must not pass with a token that the issuer would never mint.
func TestMintRefusesWhatTheIssuerRefuses(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	for name, token := range map[string]guardtest.Token{
		"scope as a claim":          extra(`{"scope":"read"}`),
		"scope in capitals":         extra(`{"SCOPE":"read"}`),
		"a registered claim":        extra(`{"cnf":{"jkt":"x"}}`),
		"a claim of an ID token":    extra(`{"nonce":"x"}`),
		"a name twice but for case": extra(`{"role":"a","Role":"b"}`),
		"claims of more than 4 KiB": extra(`{"x":"` + strings.Repeat("x", 4<<10) + `"}`),
		"claims too deep":           extra(`{"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`),
		"a claim that is no JSON":   {Claims: jwt.Claims{Extra: map[string]json.RawMessage{"x": json.RawMessage("{")}}},
		"a long subject":            {Claims: jwt.Claims{Subject: strings.Repeat("u", 256)}},
		"a control character":       {Claims: jwt.Claims{Subject: "a\nb"}},
		"a scope with two spaces":   {Scope: "read  write"},
		"a scope with a quote":      {Scope: `read"`},
		"a long scope":              {Scope: strings.Repeat("x", jwt.MaxScopeSize+1)},
	} {
		if refusal(t, iss, token) == "" {
			t.Errorf("%s: minted", name)
		}
	}
	for name, token := range map[string]guardtest.Token{
		"nothing":       {},
		"ordinary":      extra(`{"role":"admin","org":{"sub":"o1"}}`),
		"scope":         {Scope: "read write"},
		"scope, claims": {Scope: "read", Claims: extra(`{"role":"admin"}`).Claims},
	} {
		if why := refusal(t, iss, token); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// The caller's map of claims is not changed.
func TestMintLeavesTheClaims(t *testing.T) {
	iss := guardtest.New(t, guardtest.Config{})
	token := extra(`{"role":"admin"}`)
	token.Scope = "read"
	for range 2 {
		iss.MintToken(t, token)
	}
	if len(token.Extra) != 1 {
		t.Errorf("the claims are %v", token.Extra)
	}
}

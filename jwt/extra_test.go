package jwt_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"issuer.example/jwt"
)

func TestCheckExtra(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      error
	}{
		{"empty", `{}`, nil},
		{"ordinary", `{"email":"a@b.example","roles":["admin"],"n":{"sub":"nested is not a claim"}}`, nil},
		{"exactly 4 KiB", `{"x":"` + strings.Repeat("x", 4<<10-8) + `"}`, nil},
		{"one byte more", `{"x":"` + strings.Repeat("x", 4<<10-7) + `"}`, jwt.ErrSize},
		{"nothing", ``, jwt.ErrClaims},
		{"null", `null`, jwt.ErrClaims},
		{"array", `[]`, jwt.ErrClaims},
		{"two objects", `{}{}`, jwt.ErrClaims},
		{"not UTF-8", "{\"x\":\"\xff\"}", jwt.ErrClaims},
		{"lone surrogate", `{"x":"\ud800"}`, jwt.ErrClaims},
		{"17 levels", strings.Repeat(`{"x":`, 16) + `{}` + strings.Repeat("}", 16), jwt.ErrClaims},
		{"twice", `{"x":1,"x":2}`, jwt.ErrDuplicate},
		{"twice but for case, deep", `{"x":{"a":1,"A":2}}`, jwt.ErrDuplicate},
		{"sub", `{"sub":"root"}`, jwt.ErrRegisteredClaim},
		{"escaped", `{"s\u0075b":"root"}`, jwt.ErrRegisteredClaim},
		{"in another case", `{"Client_ID":"x"}`, jwt.ErrRegisteredClaim},
		{"with a long s", `{"\u017fub":"root"}`, jwt.ErrRegisteredClaim},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := jwt.CheckExtra([]byte(c.raw)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestRegistered(t *testing.T) {
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "auth_time", "amr", "acr", "client_id", "cnf", "act", "may_act", "scope",
		"azp", "nonce", "events", "sub_id", "at_hash", "c_hash", "typ", "active", "SUB", "Exp", "i\u017fs", "\u212aid", "__proto__",
	} {
		if !jwt.Registered(name) {
			t.Errorf("%q is not registered", name)
		}
	}
	for _, name := range []string{"", "email", "name", "roles", "groups", "tenant", "subject", "su", "sub ", "süb"} {
		if jwt.Registered(name) {
			t.Errorf("%q is registered", name)
		}
	}
}

func TestValidSubject(t *testing.T) {
	for _, good := range []string{"u", strings.Repeat("u", 255), "Zoë", "用户", "a b", "\u00a0", "auth0|123", `"\`} {
		if err := jwt.ValidSubject(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("u", 256), strings.Repeat("ё", 128), "\x00", "a\nb", "\x7f", "\u0085", "\u202e", "\u2066", "\u061c", "\xff", "\xed\xa0\x80"} {
		if err := jwt.ValidSubject(bad); !errors.Is(err, jwt.ErrClaims) {
			t.Errorf("%q: %v, want ErrClaims", bad, err)
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for _, good := range []string{
		`0`, `-0`, `-0.0e+1`, `1E400000000000000000000000000`[:3], `1e308`, `"\u0000\ud83d\ude00\/"`, ` [ ] `, `[{},{}]`, "\t{ \"a\" :\r\n1 , \"b\":[1,2]}", `true`, `null`,
	} {
		if err := jwt.CheckJSON([]byte(good), 2); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		``, ` `, `01`, `-`, `1.`, `.1`, `1e`, `1e+`, `1e309`, `-1e309`, `+1`, `tru`, `True`, `nul`, `NaN`, `Infinity`, `"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00"`,
		"\"\n\"", "\"\x7f\xff\"", `[`, `[1`, `[1,`, `[1,]`, `[,]`, `[1 2]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{1:1}`, `{}}`, `[]]`, `1 1`, `//`, `[[[]]]`, "\ufeff1", "\x00", "\v1",
		strings.Repeat("1", 65),
	} {
		if err := jwt.CheckJSON([]byte(bad), 2); !errors.Is(err, jwt.ErrJSON) {
			t.Errorf("%s: %v, want ErrJSON", bad, err)
		}
	}
	for _, twice := range []string{`{"a":1,"a":1}`, `{"a":1,"A":1}`, `[{"":1,"":1}]`, `{"k":1,"\u212a":1}`, `{"ſ":1,"S":1}`, `{"ß":1,"ẞ":1}`, `{"σ":1,"ς":1}`} {
		if err := jwt.CheckJSON([]byte(twice), 2); !errors.Is(err, jwt.ErrDuplicate) {
			t.Errorf("%s: %v, want ErrDuplicate", twice, err)
		}
	}
}

// A duplicate name is found among any number of names.
func TestManyMembers(t *testing.T) {
	var text strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&text, `"n%d":{"a":0,"b":0},`, i)
	}
	if err := jwt.CheckJSON([]byte("{"+text.String()+`"last":0}`), 2); err != nil {
		t.Error(err)
	}
	if err := jwt.CheckJSON([]byte("{"+text.String()+`"N4711":0}`), 2); !errors.Is(err, jwt.ErrDuplicate) {
		t.Errorf("%v, want ErrDuplicate", err)
	}
}

// Every sentinel has a name, and other errors have none.
func TestCause(t *testing.T) {
	for err, want := range map[error]string{
		jwt.ErrSize: "size", jwt.ErrEncoding: "encoding", jwt.ErrHeader: "header-not-allowed", jwt.ErrCritical: "crit", jwt.ErrContentType: "cty",
		jwt.ErrAlgorithm: "alg", jwt.ErrKeyMismatch: "alg-key-mismatch", jwt.ErrKeyID: "kid", jwt.ErrUnknownKey: "kid", jwt.ErrType: "typ",
		jwt.ErrSignature: "sig", jwt.ErrDuplicate: "duplicate", jwt.ErrJSON: "json", jwt.ErrPayload: "payload", jwt.ErrIssuer: "iss", jwt.ErrAudience: "aud",
		jwt.ErrExpiry: "exp", jwt.ErrExpired: "exp", jwt.ErrNotYetValid: "nbf", jwt.ErrIssuedAt: "iat", jwt.ErrLifetime: "lifetime", jwt.ErrClaims: "claims",
		jwt.ErrRegisteredClaim: "claims", jwt.ErrKey: "key", errors.New("other"): "",
	} {
		if got := jwt.Cause(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	if jwt.Cause(nil) != "" {
		t.Error("no error has a cause")
	}
}

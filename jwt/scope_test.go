package jwt_test

import (
	"errors"
	"strings"
	"testing"

	"issuer.example/jwt"
)

// The characters are those of scope-token in RFC 6749 §3.3: %x21, %x23-5B, %x5D-7E.
func TestValidScope(t *testing.T) {
	var token strings.Builder
	for c := byte(0x21); c <= 0x7e; c++ {
		if c != '"' && c != '\\' {
			token.WriteByte(c)
		}
	}
	for _, good := range []string{
		"read", "read write", "orders:read https://api.example/orders.write", "!", token.String(), "read read",
		strings.Repeat("x", jwt.MaxScopeSize),
	} {
		if err := jwt.ValidScope(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", " ", " read", "read ", "read  write", "read\twrite", "read\nwrite", `a"b`, `a\b`, "read\x00", "\x7f", "\x1f", "lesé", "\xff",
		"read\u00a0write", strings.Repeat("x", jwt.MaxScopeSize+1),
	} {
		if err := jwt.ValidScope(bad); !errors.Is(err, jwt.ErrClaims) {
			t.Errorf("%q: %v, want ErrClaims", bad, err)
		}
	}
}

func FuzzValidScope(f *testing.F) {
	f.Add("read write")
	f.Add(`a"b`)
	f.Fuzz(func(t *testing.T, s string) {
		if jwt.ValidScope(s) != nil {
			return
		}
		for i := range len(s) {
			if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
				t.Fatalf("%q is valid", s)
			}
		}
		if strings.Join(strings.Fields(s), " ") != s {
			t.Fatalf("%q is valid", s)
		}
	})
}

package guard_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"issuer.example/guard"
	"issuer.example/guard/guardtest"
)

// For every header, the token is one word of it, or the error is one of two.
func FuzzCredential(f *testing.F) {
	g := guardtest.New(f, guardtest.Config{}).Guard(f)
	for _, header := range []string{"Bearer x", "bearer  x", "Bearer\tx", "Basic x, Bearer y", ""} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{header}
		token, err := g.Credential(r)
		switch {
		case err == nil && (token == "" || strings.ContainsAny(token, " \t,") || !strings.HasSuffix(header, token)):
			t.Fatalf("%q gives %q", header, token)
		case err != nil && !errors.Is(err, guard.ErrCredential) && !errors.Is(err, guard.ErrNoCredential):
			t.Fatal(err)
		}
	})
}

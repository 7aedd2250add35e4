//go:build interop

package interop_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"issuer.example/jwt"
)

func modAuthOpenIDC() verifier {
	return verifier{
		name:       "mod_auth_openidc",
		folder:     "apache",
		needs:      []string{"apache2"},
		probe:      []string{"test", "-e", "/usr/lib/apache2/modules/mod_auth_openidc.so"},
		command:    []string{"sh", "-c", `exec apache2 -D FOREGROUND -f "$PWD/httpd.conf"`},
		environ:    besideApache,
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.RS256},
		anyType:    "no setting of it looks at the typ",
		passes:     map[string]string{"without an expiry": "it compares exp if there is one, and Require claim can't ask for a number"},
		lag:        lag{untilUnknownKey: true, because: "it keeps the keys for at least 5 minutes"},
	}
}

// modAuthOpenIDCIntrospecting introspects each token, so that it also refuses revoked ones.
func modAuthOpenIDCIntrospecting() verifier {
	return verifier{
		name:                "mod_auth_openidc that introspects",
		folder:              "apache",
		needs:               []string{"apache2"},
		probe:               modAuthOpenIDC().probe,
		command:             []string{"sh", "-c", `exec apache2 -D FOREGROUND -D Introspect -f "$PWD/httpd.conf"`},
		environ:             besideApache,
		algorithms:          algorithms,
		learnsOfRevocations: true,
		usesIssuersClock:    true,
	}
}

// besideApache starts what Apache needs: the application that it protects, a proxy with TLS
// in front of the issuer, since the module fetches keys only over TLS, and a folder that
// Apache's user may read.
func besideApache(t *testing.T, i *issuer) []string {
	t.Helper()
	folder, err := os.MkdirTemp("", "issuer-interop-apache-") //nolint:usetesting // a folder of the test is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	application := httptest.NewServer(http.HandlerFunc(whoami))
	t.Cleanup(application.Close)
	upstream, err := url.Parse(i.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(upstream))
	t.Cleanup(proxy.Close)
	ca := filepath.Join(folder, "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw})
	if err := os.WriteFile(ca, certificate, 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{"FOLDER=" + folder, "APPLICATION=" + application.URL, "CA=" + ca, "PROXY=" + proxy.URL, "JWKS_URI=" + proxy.URL + "/.well-known/jwks.json", "SERVICE_NAME=dev-service", "SERVICE_KEY=" + i.serviceKey}
}

// whoami is an application that takes the user from the headers that Apache sets.
func whoami(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"sub": r.Header.Get("OIDC_CLAIM_sub"), "sid": r.Header.Get("OIDC_CLAIM_sid")})
}

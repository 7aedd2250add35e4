// Command gooidc is a verifier on github.com/coreos/go-oidc.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

func main() {
	if err := run(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(getenv func(string) string) error {
	maxAge, err := time.ParseDuration(getenv("JWKS_MAX_AGE") + "s")
	if err != nil {
		return err
	}
	algorithm := getenv("ALGORITHM")
	keys := &keySet{url: getenv("JWKS_URI"), maxAge: maxAge, algorithm: jose.SignatureAlgorithm(algorithm)}
	verifier := oidc.NewVerifier(getenv("ISSUER"), keys, &oidc.Config{
		ClientID:             getenv("AUDIENCE"),
		SupportedSigningAlgs: []string{algorithm},
	})
	http.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		verified, err := verifier.Verify(r.Context(), token)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var claims struct {
			Subject   string `json:"sub"`
			SessionID string `json:"sid"`
		}
		if err := verified.Claims(&claims); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"sub": claims.Subject, "sid": claims.SessionID})
	})
	server := &http.Server{Addr: getenv("ADDRESS"), ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// keySet are the issuer's keys for access tokens. An oidc.RemoteKeySet keeps a key for as
// long as no unknown one comes along, also one that was withdrawn, so it is replaced when
// the issuer's answer is no longer good. And go-oidc does not look at the typ.
type keySet struct {
	url       string
	maxAge    time.Duration
	algorithm jose.SignatureAlgorithm

	mu     sync.Mutex
	remote *oidc.RemoteKeySet
	until  time.Time
}

// VerifySignature implements [oidc.KeySet].
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{k.algorithm})
	if err != nil {
		return nil, err
	}
	if jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType] != "at+jwt" {
		return nil, errors.New("not an access token")
	}
	return k.current().VerifySignature(ctx, token)
}

func (k *keySet) current() *oidc.RemoteKeySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.After(k.until) {
		k.remote, k.until = oidc.NewRemoteKeySet(context.Background(), k.url), now.Add(k.maxAge)
	}
	return k.remote
}

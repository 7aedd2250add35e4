package guardtest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// Intercept puts a handler in front of the issuer. It answers a request itself, or passes it
// to next, which is the issuer. Nil removes it.
func (i *Issuer) Intercept(handler func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.intercept = handler
}

// Requests returns how many requests for a path the issuer has received.
func (i *Issuer) Requests(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[path]
}

func (i *Issuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.metadata)
	mux.HandleFunc("GET /.well-known/jwks.json", i.jwks)
	mux.Handle("GET /v1/revocations", serviceKey(i.snapshot))
	mux.Handle("GET /v1/revocations/keys", serviceKey(i.feedKeys))
	mux.Handle("GET /v1/revocations/stream", serviceKey(i.stream))
	mux.Handle("POST /v1/revocations/applied", serviceKey(i.applied))
	mux.Handle("POST /oauth/introspect", serviceKey(i.introspect))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		i.requests[r.URL.Path]++
		intercept, down := i.intercept, i.down
		i.mu.Unlock()
		switch {
		case down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case intercept != nil:
			intercept(w, r, mux)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

func serviceKey(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := []byte("Bearer " + ServiceKey)
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next(w, r)
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (i *Issuer) metadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{
		"issuer":                      i.URL(),
		"jwks_uri":                    i.URL() + "/.well-known/jwks.json",
		"introspection_endpoint":      i.URL() + "/oauth/introspect",
		"revocations_endpoint":        i.URL() + "/v1/revocations",
		"revocations_stream_endpoint": i.URL() + "/v1/revocations/stream",
	})
}

// keySet is the document of the public keys.
func (i *Issuer) keySet() ([]byte, error) {
	list := []map[string]string{}
	for _, key := range i.Keys() {
		list = append(list, JWK(key))
	}
	return json.Marshal(map[string]any{"keys": list})
}

// feedKeys serves the keys in the form that no cache keeps.
func (i *Issuer) feedKeys(w http.ResponseWriter, _ *http.Request) {
	body, err := i.keySet()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "*")
	_, _ = w.Write(body)
}

func (i *Issuer) jwks(w http.ResponseWriter, r *http.Request) {
	body, err := i.keySet()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(i.config.MaxAge/time.Second)))
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = w.Write(body)
}

// JWK returns the members of a public key in a key set (RFC 7517). It returns nil for a key
// of an unknown type.
func JWK(key jwt.Key) map[string]string {
	encode := base64.RawURLEncoding.EncodeToString
	members := map[string]string{"kid": key.ID, "alg": string(key.Algorithm), "use": "sig"}
	switch k := key.Public.(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil
		}
		members["kty"], members["crv"] = "EC", "P-256"
		members["x"], members["y"] = encode(point[1:33]), encode(point[33:])
	case ed25519.PublicKey:
		members["kty"], members["crv"], members["x"] = "OKP", "Ed25519", encode(k)
	case *rsa.PublicKey:
		members["kty"], members["n"], members["e"] = "RSA", encode(k.N.Bytes()), encode(big.NewInt(int64(k.E)).Bytes())
	}
	return members
}

func (i *Issuer) snapshot(w http.ResponseWriter, _ *http.Request) {
	list := revocation.Snapshot{Issuer: i.URL(), IssuedAt: i.config.Now()}
	i.mu.Lock()
	list.Next, list.Last = i.head()
	for _, e := range i.log {
		list.Entries = append(list.Entries, e.Entry)
	}
	i.mu.Unlock()
	payload, err := list.Encode()
	if err == nil {
		var text string
		if text, err = i.signer().Sign(revocation.TypeSnapshot, payload); err == nil {
			w.Header().Set("Content-Type", "application/jwt")
			_, _ = w.Write([]byte(text))
			return
		}
	}
	w.WriteHeader(http.StatusInternalServerError)
}

func (i *Issuer) applied(w http.ResponseWriter, r *http.Request) {
	var report Report
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&report) != nil || report.Verifier == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	report.At = i.config.Now()
	i.mu.Lock()
	i.reports[report.Verifier] = report
	i.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// introspect answers about a token (RFC 7662).
func (i *Issuer) introspect(w http.ResponseWriter, r *http.Request) {
	claims, err := i.claims(r.PostFormValue("token"))
	if err != nil || i.revoked(claims) {
		writeJSON(w, map[string]bool{"active": false})
		return
	}
	writeJSON(w, map[string]any{
		"active": true, "iss": claims.Issuer, "sub": claims.Subject, "sid": claims.SessionID, "exp": claims.Expiry.Unix(),
	})
}

// claims verifies a token of the issuer for any audience.
func (i *Issuer) claims(token string) (*jwt.Claims, error) {
	set, err := jwt.NewKeySet(i.Keys()...)
	if err != nil {
		return nil, err
	}
	verifier, err := jwt.NewVerifier(jwt.VerifierConfig{
		Issuer: i.URL(), AnyAudience: true, Keys: set, Now: i.config.Now, Leeway: jwt.MaxLeeway,
	})
	if err != nil {
		return nil, err
	}
	return verifier.Verify(token)
}

// revoked searches the log.
func (i *Issuer) revoked(c *jwt.Claims) bool {
	id, err := sid.Parse(c.SessionID)
	if err != nil {
		return true
	}
	scopes := revocation.ScopesOf(c.Subject, c.ClientID)
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.ContainsFunc(i.log, func(e logEntry) bool {
		if e.Scope.Kind == revocation.KindSession {
			return e.SID == id
		}
		return slices.Contains(scopes[:], e.Scope) && id.Compare(e.SID) <= 0
	})
}

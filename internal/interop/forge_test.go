//go:build interop

package interop_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/keys"
	"issuer.example/secret"
	"issuer.example/store/bolt"
)

// forger signs with the issuer's own key what the issuer would not: it holds a backup and
// the secret. So each forgery differs from a good token in one thing.
type forger struct {
	t    *testing.T
	keys *keys.Manager
	good string // a good token, that does not expire meanwhile
}

func (i *issuer) forger() *forger {
	i.t.Helper()
	i.operate("backup", "--out", "copy.db")
	f := &forger{i.t, openKeys(i.t, filepath.Join(i.dir, "copy.db"), i.read("data/issuer.secret"), i.algorithm), i.mint(audience).AccessToken}
	now := time.Now().Unix()
	f.good = f.sign(jwt.TypeAccessToken, map[string]any{"iat": now, "exp": now + 300})
	return f
}

// openKeys opens the signing keys in a store, or makes one where there is none.
func openKeys(t *testing.T, path, text string, alg jwt.Algorithm) *keys.Manager {
	t.Helper()
	db, err := bolt.Open(t.Context(), bolt.Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	kek, err := secret.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	manager, err := keys.Open(t.Context(), keys.Config{
		Store: db, Secrets: []secret.Secret{kek}, Algorithm: alg, PublishBefore: publishBefore, AccessLifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return manager
}

// forgeries are tokens that nobody may accept, by what is wrong with each.
func (f *forger) forgeries() map[string]string {
	header, payload, signature := parts(f.t, f.good)
	now := time.Now().Unix()
	stranger := openKeys(f.t, filepath.Join(f.t.TempDir(), "other.db"), secret.Generate(), jwt.Algorithm(f.member("alg")))
	return map[string]string{
		"expired":                  f.sign(jwt.TypeAccessToken, map[string]any{"iat": now - 600, "exp": now - 300}),
		"without an expiry":        f.sign(jwt.TypeAccessToken, map[string]any{"exp": nil}),
		"of another issuer":        f.sign(jwt.TypeAccessToken, map[string]any{"iss": "https://issuer.example.org"}),
		"of the issuer with a /":   f.sign(jwt.TypeAccessToken, map[string]any{"iss": f.claims()["iss"].(string) + "/"}),
		"for another audience":     f.sign(jwt.TypeAccessToken, map[string]any{"aud": []string{"https://other.example.com"}}),
		"for nobody":               f.sign(jwt.TypeAccessToken, map[string]any{"aud": nil}),
		"a bit of its signature":   join(header, payload, flip(signature, len(signature)/2)),
		"a bit of its payload":     join(header, flip(payload, strings.Index(string(payload), user)+len(user)-1), signature),
		"no signature":             join(header, payload, nil),
		"alg none":                 join(f.header("none"), payload, nil),
		"alg none, signed":         join(f.header("none"), payload, signature),
		"HS256 by the public key":  f.hmac(f.header("HS256"), payload),
		"an unknown key":           sign(f.t, stranger, jwt.TypeAccessToken, payload),
		"another key by this name": join(header, payload, last(f.t, sign(f.t, stranger, jwt.TypeAccessToken, payload))),
	}
}

// ofAnotherType are tokens that differ from a good one in their typ alone.
func (f *forger) ofAnotherType() map[string]string {
	return map[string]string{
		"typ JWT":          f.sign("JWT", nil),
		"typ secevent+jwt": f.sign("secevent+jwt", nil),
	}
}

// sign signs the claims of the good token with changes. A nil takes a claim away.
func (f *forger) sign(typ string, changes map[string]any) string {
	f.t.Helper()
	claims := f.claims()
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		f.t.Fatal(err)
	}
	return sign(f.t, f.keys, typ, payload)
}

func sign(t *testing.T, by *keys.Manager, typ string, payload []byte) string {
	t.Helper()
	token, _, err := by.Sign(typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// claims are those of the good token.
func (f *forger) claims() map[string]any {
	f.t.Helper()
	_, payload, _ := parts(f.t, f.good)
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		f.t.Fatal(err)
	}
	for _, name := range []string{"iat", "exp", "auth_time"} {
		claims[name] = int64(claims[name].(float64)) // or it is written with an exponent
	}
	return claims
}

// header is the good token's with another algorithm.
func (f *forger) header(alg string) []byte {
	header, _, _ := parts(f.t, f.good)
	return []byte(strings.Replace(string(header), `"`+f.member("alg")+`"`, `"`+alg+`"`, 1))
}

// member is a member of the good token's header.
func (f *forger) member(name string) string { return headerOf(f.t, f.good)[name] }

// hmac signs with the text of the public key as a shared secret.
func (f *forger) hmac(header, payload []byte) string {
	f.t.Helper()
	key, ok := f.keys.Key(f.member("kid"))
	if !ok {
		f.t.Fatal("the key of the good token is not there")
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		f.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(strings.TrimSuffix(join(header, payload, nil), ".")))
	return join(header, payload, mac.Sum(nil))
}

// parts are the decoded parts of a token.
func parts(t *testing.T, token string) (header, payload, signature []byte) {
	t.Helper()
	var decoded [3][]byte
	for n, part := range strings.SplitN(token, ".", 3) {
		var err error
		if decoded[n], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			t.Fatal(err)
		}
	}
	return decoded[0], decoded[1], decoded[2]
}

func last(t *testing.T, token string) []byte {
	t.Helper()
	_, _, signature := parts(t, token)
	return signature
}

func headerOf(t *testing.T, token string) map[string]string {
	t.Helper()
	header, _, _ := parts(t, token)
	var members map[string]string
	if err := json.Unmarshal(header, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// kid names the key that signed a token.
func kid(t *testing.T, token string) string {
	t.Helper()
	return headerOf(t, token)["kid"]
}

func join(header, payload, signature []byte) string {
	e := base64.RawURLEncoding
	return e.EncodeToString(header) + "." + e.EncodeToString(payload) + "." + e.EncodeToString(signature)
}

// flip is a copy with the lowest bit of one byte changed.
func flip(data []byte, at int) []byte {
	flipped := append([]byte(nil), data...)
	flipped[at] ^= 1
	return flipped
}

//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"issuer.example/internal/program"
	"issuer.example/jwt"
)

const (
	// lifetime is the lifetime of an access token: longer than a round of the table, and
	// shorter than the wait until a new key signs.
	lifetime = 9 * time.Second
	// publishBefore is the minimum that the issuer allows. The max-age of the JWKS is a
	// quarter of it.
	publishBefore = 10 * time.Second
	audience      = "https://api.example.com"
	user          = "user-1"
	patience      = time.Minute
)

// binary returns the path of the issuer, which is built once.
var binary = sync.OnceValues(func() (program.Binary, error) {
	return program.Build(context.Background(), built, false)
})

// built is the folder of the built program.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "issuer-interop-")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// issuer is a running issuer.
type issuer struct {
	t          *testing.T
	algorithm  jwt.Algorithm
	url, admin string
	dir        string
	maxAge     time.Duration // of the JWKS
	serviceKey string
}

// grant is the part of a new session that the tests use.
type grant struct {
	Session struct {
		ID string `json:"id"`
	} `json:"session"`
	AccessToken string `json:"access_token"`
}

// startIssuer starts an issuer that signs with an algorithm.
func startIssuer(t *testing.T, alg jwt.Algorithm) *issuer {
	t.Helper()
	address := freeAddress(t)
	return startIssuerBehind(t, alg, address, "http://"+address,
		"ISSUER_ACCESS_TOKEN_LIFETIME="+lifetime.String(), "ISSUER_KEYS_PUBLISH_BEFORE="+publishBefore.String())
}

// startIssuerBehind starts an issuer on an address, which is reached at another one.
func startIssuerBehind(t *testing.T, alg jwt.Algorithm, address, url string, settings ...string) *issuer {
	t.Helper()
	b, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, algorithm: alg, url: url, dir: t.TempDir()}
	p, err := program.Start(b.Command(t.Context(), i.dir, append([]string{
		"ISSUER_ISSUER=" + i.url, "ISSUER_LISTEN=" + address, "ISSUER_ADMIN_LISTEN=127.0.0.1:0",
		"ISSUER_ACCESS_TOKEN_ALGORITHM=" + string(alg), "ISSUER_ACCESS_TOKEN_AUDIENCE=" + audience,
	}, settings...), "serve", "--dev"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Signal(os.Kill) // it may be gone already
		if _, err := p.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the issuer:\n%s", p.Log().Text())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, i.admin, err = p.Serving(ctx); err != nil {
		t.Fatal(err)
	}
	i.serviceKey = i.read("data/dev/service.key")
	i.maxAge = i.jwksMaxAge()
	return i
}

// read is a text that the issuer made.
func (i *issuer) read(path string) string {
	i.t.Helper()
	text, err := os.ReadFile(filepath.Join(i.dir, path))
	if err != nil {
		i.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// jwksMaxAge returns the max-age of the JWKS in its Cache-Control.
func (i *issuer) jwksMaxAge() time.Duration {
	i.t.Helper()
	res, err := http.Get(i.url + "/.well-known/jwks.json")
	if err != nil {
		i.t.Fatal(err)
	}
	_ = res.Body.Close()
	var seconds int
	if _, err := fmt.Sscanf(res.Header.Get("Cache-Control"), "public, max-age=%d", &seconds); err != nil {
		i.t.Fatalf("Cache-Control: %s: %v", res.Header.Get("Cache-Control"), err)
	}
	return time.Duration(seconds) * time.Second
}

// mint creates a session of the user, with tokens for an audience.
func (i *issuer) mint(audience string) grant {
	i.t.Helper()
	text, _ := i.call(http.MethodPost, "/v1/sessions", fmt.Sprintf(`{"user": {"id": %q}, "audience": [%q]}`, user, audience))
	var g grant
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		i.t.Fatalf("mint: %v: %s", err, text)
	}
	return g
}

// others returns what the issuer signs besides access tokens.
func (i *issuer) others() map[string]string {
	i.t.Helper()
	list, _ := i.call(http.MethodGet, "/v1/revocations", "")
	_, cookies := i.call(http.MethodPost, "/v1/sessions?transport=cookie", fmt.Sprintf(`{"user": {"id": %q}}`, user))
	_, cookies = i.call(http.MethodGet, "/api/auth/get-session", "", cookies...)
	for _, cookie := range cookies {
		if cookie.Name == "better-auth.session_data" {
			return map[string]string{"the list of revocations": list, "a better-auth client's cookie cache": cookie.Value}
		}
	}
	i.t.Fatalf("there is no cookie cache among %v", cookies)
	return nil
}

// call sends a request with the service key, or with cookies, and returns the response.
func (i *issuer) call(method, path, body string, cookies ...*http.Cookie) (string, []*http.Cookie) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), method, i.url+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	if len(cookies) == 0 {
		req.Header.Set("Authorization", "Bearer "+i.serviceKey)
	}
	for _, cookie := range cookies {
		req.AddCookie(cookie)
	}
	req.Header.Set("Content-Type", "application/json")
	return i.do(req)
}

// do sends a request and returns the response, which must be good.
func (i *issuer) do(req *http.Request) (string, []*http.Cookie) {
	i.t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		i.t.Fatalf("%s %s: %s: %s", req.Method, req.URL.Path, res.Status, text)
	}
	return string(text), res.Cookies()
}

// operate runs a command of the issuer, as an operator does.
func (i *issuer) operate(args ...string) {
	i.t.Helper()
	b, err := binary()
	if err != nil {
		i.t.Fatal(err)
	}
	out, err := b.Command(i.t.Context(), i.dir, []string{"ISSUER_ADMIN_URL=" + i.admin}, args...).CombinedOutput()
	if err != nil {
		i.t.Fatalf("%v: %v: %s", args, err, out)
	}
}

// rotate rotates the keys and waits until the new one signs. It returns the last session
// with a token of the old key, and the first with one of the new key.
func (i *issuer) rotate() (last, first grant) {
	i.t.Helper()
	i.operate("keys", "rotate")
	last = i.mint(audience)
	// Nothing else shows when the key begins to sign.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; last = first {
		if first = i.mint(audience); kid(i.t, first.AccessToken) != kid(i.t, last.AccessToken) {
			return last, first
		}
		select {
		case <-tick.C:
		case <-late:
			i.t.Fatal("the new key does not sign")
		}
	}
}

package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// smallHeaders is a location of nginx that accepts no larger headers of an answer than nginx does by default
// where a page of memory has 4 KiB.
func smallHeaders(upstream string) string {
	return `proxy_buffer_size 4k; location / { proxy_pass ` + upstream + `; proxy_set_header Host localhost; }`
}

// endingTLS sends requests of https to a server that speaks http, as a proxy that ends TLS does. The cookie
// jar of the client knows the request by its https URL.
type endingTLS struct{ http.RoundTripper }

func (e endingTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.Clone(r.Context())
	plain.URL.Scheme = "http"
	return e.RoundTripper.RoundTrip(plain)
}

// page is a page of a front end, in a browser of its own.
type page struct {
	t   *testing.T
	jar *cookiejar.Jar
	http.Client
}

func newPage(t *testing.T, transport http.RoundTripper) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &page{t: t, jar: jar, Client: http.Client{Transport: endingTLS{transport}, Jar: jar, Timeout: testTimeout}}
}

// call sends a request of the front end, or with a service key one of its backend.
func (p *page) call(route, serviceKey, body string) (status int, text []byte) {
	p.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	r, err := http.NewRequestWithContext(p.t.Context(), method, "https://auth.example.com"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", "https://app.example.com")
	if serviceKey != "" {
		r.Header.Set("Authorization", "Bearer "+serviceKey)
	}
	res, err := p.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if text, err = io.ReadAll(res.Body); err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, text
}

// claim signs a user in with claims of that size, and returns the status of the claim.
func (p *page) claim(i *issuer, size int) int {
	p.t.Helper()
	claims := `{"roles":"` + strings.Repeat("r", size-len(`{"roles":""}`)) + `"}`
	_, text := p.call("POST /v1/sessions", i.serviceKey(),
		`{"user":{"id":"u1","email":"ada@example.com","name":"Ada"},"handoff":true,"claims":`+claims+`}`)
	var minted struct {
		Code string `json:"handoff_code"`
	}
	if err := json.Unmarshal(text, &minted); err != nil || minted.Code == "" {
		p.t.Fatalf("minting: %s", text)
	}
	status, _ := p.call("POST /v1/session/claim", "", `{"handoff_code":"`+minted.Code+`"}`)
	return status
}

// With 1 KiB of claims, every answer passes nginx with its default settings. Of larger headers the log warns.
func TestHeadersPassNginx(t *testing.T) {
	i := startDev(t, t.TempDir(), "ISSUER_ISSUER=https://auth.example.com", "ISSUER_COOKIES_DOMAIN=example.com",
		"ISSUER_CORS_ALLOWED_ORIGINS=https://app.example.com")
	proxy := startNginx(t, smallHeaders(i.public))["HTTP/1.1"]
	for _, size := range []int{12, 132, 523, 1024} {
		p := newPage(t, proxy)
		if status := p.claim(i, size); status != http.StatusOK {
			t.Fatalf("%d bytes of claims: the claim is answered %d", size, status)
		}
		if kept := p.jar.Cookies(&url.URL{Scheme: "https", Host: "auth.example.com"}); len(kept) != 3 {
			t.Errorf("the claim has set %v", kept)
		}
		for range 2 { // the second round sends the cookies that the first has set
			for _, route := range []string{
				"GET /api/auth/get-session", "POST /api/auth/get-session", "POST /v1/session/refresh", "GET /v1/session", "GET /api/auth/token",
			} {
				if status, text := p.call(route, "", ""); status != http.StatusOK {
					t.Errorf("%d bytes of claims: %s: %d %.200s", size, route, status, text)
				}
			}
		}
		if status, text := p.call("POST /api/auth/sign-out", "", ""); status != http.StatusOK {
			t.Errorf("%d bytes of claims: sign-out: %d %s", size, status, text)
		}
	}
	const warning = "the headers of an answer are larger than a proxy accepts by default: " +
		"give the sessions smaller claims, or raise the limit of the proxy (nginx: proxy_buffer_size)"
	if strings.Contains(i.Log().Text(), warning) {
		t.Error("the log warns of headers that pass")
	}
	if status := newPage(t, proxy).claim(i, 2600); status != http.StatusBadGateway {
		t.Errorf("2,600 bytes of claims: %d: this nginx accepts larger headers than the test means it to", status)
	}
	if _, err := i.Log().Await(soon(t), warning); err != nil {
		t.Error(err)
	}
}

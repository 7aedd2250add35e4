package handlers_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"issuer.example/client"
	"issuer.example/handlers"
	"issuer.example/session"
)

// TestConfig: a configuration that cannot work is refused by New.
func TestConfig(t *testing.T) {
	var good handlers.Config
	newFixture(t, func(s *settings) {
		var err error
		good = s.http
		good.Sessions, err = session.New(s.sessions)
		must(t, err)
	})
	for name, spoil := range map[string]func(*handlers.Config){
		"no sessions":              func(c *handlers.Config) { c.Sessions = nil },
		"no keys":                  func(c *handlers.Config) { c.Keys = nil },
		"no issuer":                func(c *handlers.Config) { c.Issuer = "" },
		"issuer that is no URL":    func(c *handlers.Config) { c.Issuer = "http://[" },
		"issuer of another scheme": func(c *handlers.Config) { c.Issuer = "ftp://x" },
		"origin with a path":       func(c *handlers.Config) { c.AllowedOrigins = []string{"https://app.example/x"} },
		"origin that is a wish":    func(c *handlers.Config) { c.AllowedOrigins = []string{"*"} },
		"key without a name":       func(c *handlers.Config) { c.ServiceKeys = []client.Key{{}} },
		"two keys of one name": func(c *handlers.Config) {
			c.ServiceKeys = []client.Key{{Name: "a"}, {Name: "a", SHA256: client.HashKey("b")}}
		},
	} {
		bad := good
		spoil(&bad)
		if _, err := handlers.New(bad); !errors.Is(err, handlers.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	least := handlers.Config{Sessions: good.Sessions, Keys: good.Keys, Issuer: testIssuer}
	if _, err := handlers.New(least); err != nil {
		t.Errorf("the least there must be: %v", err)
	}
}

// TestUserIsHandedBack: what the backend says of the user is answered with the session.
func TestUserIsHandedBack(t *testing.T) {
	f := newFixture(t, nil)
	user := map[string]any{"id": "ü/1 \"x\"", "email": "a@b.example", "name": "Zoë <b>", "image": "https://img.example/?a=1&b=2"}
	a := f.call(t, "POST", "/v1/sessions", map[string]any{"user": user}, bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
	again := f.refresh(t, a.text(t, "refresh_token")).want(t, 200, "")
	current := f.call(t, "GET", "/v1/session", nil, bearer(a.text(t, "access_token"))).want(t, 200, "")
	for name, got := range map[string]answer{"mint": a, "refresh": again, "session": current} {
		if diff := cmp.Diff(user, got.at(t, "user")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.text(t, "session.user_id") != user["id"] {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	if a.at(t, "expires_in") != 300.0 || a.text(t, "token_type") != "Bearer" {
		t.Errorf("mint: %s", a.body)
	}
}

// TestCookiesOfADomain: the cookies of the host alone are cleared, too.
func TestCookiesOfADomain(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.http.Cookies.Domain = "example.com"
		s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	s := f.mint(t, "u1")
	a := f.call(t, "DELETE", "/v1/session", nil, bearer(s.access)).want(t, 204, "")
	domains := map[string]int{}
	for _, c := range a.Cookies() {
		domains[c.Domain]++
	}
	if domains["example.com"] != 3 || domains[""] != 3 {
		t.Errorf("Set-Cookie: %v", a.Header["Set-Cookie"])
	}
	// Among cookies that are all refused, the one that says most decides.
	a = f.call(t, "POST", "/v1/session/refresh", nil, cookie(refreshCookie, "rt_x"), cookie(refreshCookie, s.refresh), fromIssuerPage())
	a.want(t, 401, "session_revoked")
}

package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"issuer.example/client"
	"issuer.example/session"
)

// lastRequest returns the newest line of the access log.
func (f *fixture) lastRequest(t *testing.T) map[string]any {
	t.Helper()
	var found map[string]any
	for line := range strings.Lines(f.log.String()) {
		var entry map[string]any
		must(t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == "request" {
			found = entry
		}
	}
	return found
}

// TestClientAddress is row H10: only trusted proxies may name their client.
func TestClientAddress(t *testing.T) {
	direct := newFixture(t, nil)
	proxied := newFixture(t, func(s *settings) {
		s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for _, tt := range []struct {
		name      string
		forwarded []string
		want      string // through the trusted proxy
	}{
		{"nothing", nil, "127.0.0.1"},
		{"one hop", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a forged hop on the left", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"forged and real in two headers", []string{"198.51.100.1", "203.0.113.7"}, "203.0.113.7"},
		{"two proxies", []string{"203.0.113.7, 10.0.0.1"}, "203.0.113.7"},
		{"proxies alone", []string{"10.0.0.2, 10.0.0.1"}, "10.0.0.2"},
		{"IPv6", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv4 in IPv6", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"garbage", []string{"evil"}, "127.0.0.1"},
		{"garbage on the left", []string{"evil, 203.0.113.7"}, "203.0.113.7"},
		{"garbage in between", []string{"203.0.113.7, evil, 10.0.0.1"}, "10.0.0.1"},
		{"with a port", []string{"203.0.113.7:51234"}, "203.0.113.7"},
		{"with a hidden port", []string{"203.0.113.7:_a.b-c"}, "203.0.113.7"},
		{"IPv6 in brackets", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"IPv4 in brackets", []string{"[203.0.113.7]:443"}, "203.0.113.7"},
		{"IPv4 in IPv6 with a port", []string{"[::ffff:203.0.113.7]:51234"}, "203.0.113.7"},
		{"with a zone", []string{"[fe80::7%eth0]:443"}, "fe80::7"},
		{"quoted", []string{`"203.0.113.7"`}, "203.0.113.7"},
		{"quoted with a port", []string{`"203.0.113.7:51234"`}, "203.0.113.7"},
		{"quoted IPv6 with a port", []string{`"[2001:db8::7]:443"`}, "2001:db8::7"},
		{"a comma at the end", []string{"203.0.113.7,"}, "203.0.113.7"},
		{"commas and spaces", []string{" , 203.0.113.7 ,\t, "}, "203.0.113.7"},
		{"an empty header behind", []string{"203.0.113.7", ""}, "203.0.113.7"},
		{"a tab", []string{"198.51.100.1,\t203.0.113.7\t"}, "203.0.113.7"},
		{"ports of proxies", []string{"203.0.113.7:51234, 10.0.0.1:8080, [::ffff:10.0.0.2]:80"}, "203.0.113.7"},
		{"a forged hop with a port", []string{"10.0.0.9:1, 203.0.113.7:2"}, "203.0.113.7"},
		{"empty", []string{""}, "127.0.0.1"},
		{"unknown", []string{"unknown"}, "127.0.0.1"},
		{"unknown behind a proxy", []string{"203.0.113.7, unknown, 10.0.0.1"}, "10.0.0.1"},
		{"hidden", []string{"203.0.113.7, _gazonk"}, "127.0.0.1"},
		{"a port that is none", []string{"203.0.113.7:http"}, "127.0.0.1"},
		{"an empty port", []string{"203.0.113.7:"}, "127.0.0.1"},
		{"a port that is too large", []string{"203.0.113.7:65536"}, "127.0.0.1"},
		{"an open bracket", []string{"[2001:db8::7"}, "127.0.0.1"},
		{"an open quote", []string{`"203.0.113.7`}, "127.0.0.1"},
		{"text behind the bracket", []string{"[2001:db8::7]443"}, "127.0.0.1"},
		{"two addresses in one", []string{"203.0.113.7 198.51.100.1"}, "127.0.0.1"},
		{"as in Forwarded", []string{"for=203.0.113.7"}, "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			options := []option{
				header("Forwarded", "for=192.0.2.1"), header("X-Real-IP", "192.0.2.2"), header("X-Request-Id", "from-proxy_1"),
			}
			for _, v := range tt.forwarded {
				options = append(options, header("X-Forwarded-For", v))
			}
			direct.call(t, "GET", "/openapi.yaml", nil, options...).want(t, 200, "")
			if got := direct.lastRequest(t)["ip"]; got != "127.0.0.1" {
				t.Errorf("an untrusted peer says %v", got)
			}
			if got := direct.lastRequest(t)["request_id"]; got == "from-proxy_1" {
				t.Error("an untrusted peer names the request")
			}
			proxied.call(t, "GET", "/openapi.yaml", nil, options...).want(t, 200, "")
			if got := proxied.lastRequest(t)["ip"]; got != tt.want {
				t.Errorf("through the proxy: %v, want %s", got, tt.want)
			}
			if got := proxied.lastRequest(t)["request_id"]; got != "from-proxy_1" {
				t.Errorf("the proxy's request id became %v", got)
			}
		})
	}
	// A trusted proxy may pass on any host.
	proxied.call(t, "GET", "/.well-known/jwks.json", nil, func(r *http.Request) { r.Host = "public.example" }).want(t, 200, "")
	// Its request ids are checked all the same.
	for _, id := range []string{"a b", strings.Repeat("x", 65), "a;b", "ü"} {
		if got := proxied.call(t, "GET", "/healthz", nil, header("X-Request-Id", id)).Header.Get("X-Request-Id"); got == id {
			t.Errorf("the request id %q was taken over", id)
		}
	}
}

// TestBindingBehindProxies: a session that is bound to its network stays, in whatever form proxies write
// the address of the client, and ends for another one.
func TestBindingBehindProxies(t *testing.T) {
	f := newFixture(t, func(s *settings) {
		s.sessions.Binding.IP = session.BindingEnforce
		s.http.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for address, forms := range map[string][]string{
		"203.0.113.7": {"203.0.113.7", "203.0.113.7:51234", `"203.0.113.7:51235"`, "[::ffff:203.0.113.7]:51236", "203.0.113.7,"},
		"2001:db8::7": {"2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:443", `"[2001:db8::7]:444"`},
	} {
		mint := f.call(t, "POST", "/v1/sessions", map[string]any{"user": map[string]any{"id": "u1"}, "ip_address": address},
			bearer(serviceKey(client.ScopeMint))).want(t, 201, "")
		token := mint.text(t, "refresh_token")
		for _, form := range forms {
			f.advance(t, time.Minute)
			token = f.refresh(t, token, header("X-Forwarded-For", form)).want(t, 200, "").text(t, "refresh_token")
		}
		f.advance(t, time.Minute)
		f.refresh(t, token, header("X-Forwarded-For", "198.51.100.1:51234")).want(t, 401, "binding_mismatch")
	}
}

// TestSessionAddress: a session has the address that the backend gives, or none.
func TestSessionAddress(t *testing.T) {
	f := newFixture(t, nil)
	mint := func(body map[string]any) answer {
		body["user"] = map[string]any{"id": "u1"}
		return f.call(t, "POST", "/v1/sessions", body, bearer(serviceKey(client.ScopeMint)),
			header("User-Agent", "backend/1.0")).want(t, 201, "")
	}
	a := mint(map[string]any{})
	if a.at(t, "session.ip_address") != nil || a.at(t, "session.user_agent") != nil {
		t.Errorf("the backend's own address or agent is taken for the user's: %s", a.body)
	}
	a = mint(map[string]any{"ip_address": "2001:db8::1", "user_agent": "Firefox\r\n\x00", "label": "Laptop"})
	if a.text(t, "session.ip_address") != "2001:db8::1" || a.text(t, "session.user_agent") != "Firefox" || a.text(t, "session.label") != "Laptop" {
		t.Errorf("session: %s", a.body)
	}
}

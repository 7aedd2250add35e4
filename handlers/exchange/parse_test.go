package exchange_test

import (
	"bytes"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"issuer.example/handlers/exchange"
)

// mintBody has the shape of the largest body that a route accepts.
type mintBody struct {
	User struct {
		ID    string `json:"id"`
		Email string `json:"email"`
	} `json:"user"`
	Claims   exchange.RawJSON `json:"claims"`
	Audience []string         `json:"audience"`
	AMR      []string         `json:"amr"`
}

// TestJSONBombMemory: refusing a bomb costs little memory.
func TestJSONBombMemory(t *testing.T) {
	bomb := []byte(`{"user":` + strings.Repeat("[", 64<<10-8))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const rounds = 100
	for range rounds {
		var body mintBody
		if exchange.Unmarshal(bomb, &body) == nil {
			t.Fatal("accepted")
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > 64<<10 {
		t.Errorf("%d bytes were allocated for each", each)
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"token=x", "a=1&a=2", "%", "a=%00", "a;b", "&&&", "a=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := exchange.ParseForm(text)
		if err != nil {
			return
		}
		for name, given := range values {
			if len(given) != 1 || strings.Contains(name+given[0], "\x00") {
				t.Errorf("%q gives %q", text, values)
			}
		}
	})
}

func FuzzMintBody(f *testing.F) {
	for _, seed := range []string{
		`{"user":{"id":"u1","email":"a@b"},"claims":{"a":[1]},"audience":["x"],"amr":["pwd"]}`,
		`{"user":{"id":"u1"},"user":{}}`, `{"USER":{}}`, `null`, `[[[[`, "\"\\u0000\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var body mintBody
		if exchange.Unmarshal(text, &body) != nil {
			return
		}
		if exchange.NestsTooDeeply(text) || bytes.Contains(text, []byte(`"USER"`)) && body.User.ID != "" && !bytes.Contains(text, []byte(`"user"`)) {
			t.Errorf("accepted: %s", text)
		}
	})
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"Mozilla/5.0", "\x1b[31m", "a\r\nb", "\u2028", "\xff", strings.Repeat("ü", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := exchange.Printable(text, 64)
		if len(got) > 3*64 || strings.ContainsAny(got, "\r\n\x1b\u2028\u202e") {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"203.0.113.7", "10.0.0.1, 203.0.113.7", "::1", "x", ",", "1.2.3.4:5", "fe80::1%eth0", `"[::ffff:1.2.3.4]:_x",`, "[::1]:", "unknown"} {
		f.Add(seed)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, forwarded string) {
		r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {forwarded}}}
		client := exchange.ClientAddress(trusted, r)
		if !client.IsValid() || client.Zone() != "" {
			t.Errorf("%q gives %v", forwarded, client)
		}
		r.RemoteAddr = "203.0.113.9:1"
		if client := exchange.ClientAddress(trusted, r); client != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("an untrusted peer with %q is taken for %v", forwarded, client)
		}
	})
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{"localhost", "a", "127.0.0.1:80", "[::1]", "x.local", ":", "[", "a..b", "evil.example:80:80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		// A name below a public domain is refused, whatever stands in front of it.
		if exchange.HostAllowed("https://auth.example.com", host+".evil.com") {
			t.Errorf("%q is allowed", host+".evil.com")
		}
		if exchange.HostAllowed("https://auth.example.com", host) && strings.HasSuffix(host, "evil.com") {
			t.Errorf("%q is allowed", host)
		}
	})
}

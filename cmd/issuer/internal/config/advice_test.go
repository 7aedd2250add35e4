package config_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"issuer.example/cmd/issuer/internal/config"
)

// room returns how many bytes of claims the advice names.
func room(t *testing.T, change func(*config.Config)) int {
	t.Helper()
	c := config.Default()
	c.Issuer = "https://auth.example.localhost"
	c.CORS.AllowedOrigins = []string{"https://app.example"}
	if change != nil {
		change(c)
	}
	found := regexp.MustCompile(`below about ([0-9]+) bytes`).FindStringSubmatch(strings.Join(c.Advice(), "\n"))
	if found == nil {
		t.Fatalf("no advice about headers: %q", c.Advice())
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The advice names how much claims fit into the headers that a proxy accepts.
func TestAdviceOnHeaders(t *testing.T) {
	if c := config.Default(); len(c.Advice()) != 0 {
		t.Errorf("advice without a proxy: %q", c.Advice())
	}
	usual := room(t, nil)
	if usual < 1400 || usual > 1550 { // with 1,500 bytes the headers of a refresh have 3,470
		t.Errorf("%d bytes", usual)
	}
	for name, change := range map[string]func(*config.Config){
		"RS256":     func(c *config.Config) { c.AccessToken.Algorithm = "RS256" },
		"audiences": func(c *config.Config) { c.AccessToken.Audience = []string{strings.Repeat("a", 200), "b"} },
		"domain":    func(c *config.Config) { c.Cookies.Domain = strings.Repeat("d", 60) + ".example" },
		"prefix":    func(c *config.Config) { c.Cookies.Prefix = strings.Repeat("p", 64) },
	} {
		if n := room(t, change); n >= usual {
			t.Errorf("%s: %d bytes, otherwise %d", name, n, usual)
		}
	}
	if n := room(t, func(c *config.Config) { c.AccessToken.Audience = []string{strings.Repeat("a", 9000)} }); n != 0 {
		t.Errorf("no room: %d bytes", n)
	}
}

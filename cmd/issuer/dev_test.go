package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"issuer.example/cmd/issuer/internal/config"
)

// The printed URL is one at which the issuer answers.
func TestDevURL(t *testing.T) {
	for _, c := range []struct{ issuer, public, want string }{
		{"http://localhost:8080", "127.0.0.1:8080", "http://localhost:8080"},
		{"http://localhost:8080", "127.0.0.1:41234", "http://127.0.0.1:41234"},
		{"http://localhost", "127.0.0.1:80", "http://localhost"},
		{"https://id.example.com", "0.0.0.0:8080", "http://127.0.0.1:8080"},
		{"http://localhost:8080", "[::]:9000", "http://127.0.0.1:9000"},
	} {
		if got := devURL(c.issuer, address(c.public)); got != c.want {
			t.Errorf("devURL(%q, %q) = %q, want %q", c.issuer, c.public, got, c.want)
		}
	}
}

// address is a net.Addr.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

// On plain http --dev gives up Secure cookies, except where cookies do not work without it.
func TestDevCookies(t *testing.T) {
	for _, c := range []struct{ issuer, secure, sameSite, want string }{
		{"http://localhost:8080", "auto", "lax", "never"},
		{"http://localhost:8080", "always", "lax", "never"},
		{"http://auth.localhost:8080", "always", "none", "always"},
		{"https://auth.example.com", "auto", "lax", "auto"},
	} {
		settings := config.Default()
		settings.Issuer, settings.Cookies.Secure, settings.Cookies.SameSite = c.issuer, c.secure, c.sameSite
		settings.Store.Path = filepath.Join(t.TempDir(), "issuer.db")
		settings.Secrets = []string{filepath.Join(t.TempDir(), "issuer.secret")}
		if _, err := prepareDev(settings, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if got := settings.Cookies.Secure; got != c.want {
			t.Errorf("%s, secure %s, same_site %s: %s, want %s", c.issuer, c.secure, c.sameSite, got, c.want)
		}
	}
}

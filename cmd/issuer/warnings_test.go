package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"issuer.example/cmd/issuer/internal/config"
)

// Settings that may be a mistake are logged, and others are not.
func TestWarnings(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		dev    bool
		built  time.Time
		want   string
	}{
		{"in order", nil, true, now.Add(-time.Hour), ""},
		{"built from no commit", nil, false, time.Time{}, ""},
		{"a clock before the build", nil, false, now.Add(time.Hour), "the clock is before"},
		{"an open admin listener", func(c *config.Config) { c.Admin.Listen = ":9090" }, false, time.Time{}, "the admin listener can be reached"},
		{"an open public listener", func(c *config.Config) { c.Listen = "0.0.0.0:8080" }, false, time.Time{}, ""},
		{"an open public listener with --dev", func(c *config.Config) { c.Listen = "0.0.0.0:8080" }, true, time.Time{}, "--dev, and the public listener"},
		{"proxies anywhere", func(c *config.Config) { c.TrustedProxies = []string{"10.0.0.0/8", "::/0"} }, false, time.Time{}, "trusted_proxies holds every address"},
		{"proxies of one's own", func(c *config.Config) { c.TrustedProxies = []string{"10.0.0.0/8"} }, false, time.Time{}, ""},
		{"previews below a public suffix", func(c *config.Config) { c.CORS.AllowedOrigins = []string{"https://*.vercel.app"} }, false, time.Time{}, "anybody can get a name"},
		{"previews of one's own", func(c *config.Config) { c.CORS.AllowedOrigins = []string{"https://*.preview.example.com"} }, false, time.Time{}, ""},
		{"more connections than files", func(c *config.Config) { c.Limits.Connections = 1 << 30 }, false, time.Time{}, "limit of open files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := config.Default()
			settings.Limits.Connections = 1
			if c.change != nil {
				c.change(settings)
			}
			var out bytes.Buffer
			warn(slog.New(slog.NewTextHandler(&out, nil)), settings, c.dev, now, c.built)
			if got := out.String(); strings.Count(got, "\n") > 1 || (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:1": true, "127.0.0.53:1": true, "[::1]:1": true, "localhost:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "host:1": false, "": false,
	} {
		if got := isLoopback(listen); got != want {
			t.Errorf("isLoopback(%q) = %v, want %v", listen, got, want)
		}
	}
}

package config_test

import (
	"strings"
	"testing"

	"issuer.example/cmd/issuer/internal/config"
)

func TestAdviceOnProxies(t *testing.T) {
	for _, tt := range []struct {
		issuer  string
		proxies []string
		advised bool
	}{
		{"https://auth.example.com", nil, true},
		{"https://auth.example.com", []string{"10.0.0.1"}, false},
		{"http://localhost:8080", nil, false},
	} {
		c := config.Default()
		c.Issuer, c.TrustedProxies = tt.issuer, tt.proxies
		if got := strings.Contains(strings.Join(c.Advice(), "\n"), "trusted_proxies"); got != tt.advised {
			t.Errorf("%s with %v: advised is %v", tt.issuer, tt.proxies, got)
		}
	}
}

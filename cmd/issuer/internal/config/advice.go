package config

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Advice returns what an operator should know about a valid configuration.
func (c *Config) Advice() []string {
	return append(c.proxyAdvice(), c.headerAdvice()...)
}

// headerAdvice says how large claims can be behind a proxy.
func (c *Config) headerAdvice() []string {
	if !strings.HasPrefix(c.Issuer, "https://") {
		return nil // no proxy
	}
	return []string{fmt.Sprintf("proxies may refuse response headers of more than %d bytes (nginx: proxy_buffer_size 4k): "+
		"keep the claims of a session below about %d bytes, or raise that limit", maxHeader, c.claimsRoom())}
}

const (
	// maxHeader is how large the headers of an answer should be at most, in bytes: a little less than the
	// buffer of 4 KiB into which nginx reads them by default.
	maxHeader = 3500
	// fixedHeader is what the headers of a refresh have besides access token, names, domain and origin.
	fixedHeader = 860
	// fixedClaims are the claims of every access token besides iss, aud and what the session brings.
	fixedClaims = 230
	joseHeader  = 85
)

// claimsRoom returns how many bytes of claims a session may have about, so that the headers of a refresh by
// cookie, which set every cookie of a session, stay below maxHeader.
func (c *Config) claimsRoom() int {
	room := maxHeader - fixedHeader - 3*len(c.Cookies.Prefix) - base64.RawURLEncoding.EncodedLen(joseHeader)
	if c.Cookies.Domain != "" {
		room -= 2 * len("; Domain="+c.Cookies.Domain)
	}
	longest := 0
	for _, origin := range c.CORS.AllowedOrigins {
		longest = max(longest, len(origin))
	}
	room -= longest
	signature := 64
	if c.AccessToken.Algorithm == "RS256" {
		signature = 256
	}
	room -= base64.RawURLEncoding.EncodedLen(signature)
	claims := base64.RawURLEncoding.DecodedLen(max(room, 0)) - fixedClaims - len(c.Issuer)
	for _, audience := range c.Audience() {
		claims -= len(audience) + len(`"",`)
	}
	return max(claims/50*50, 0)
}

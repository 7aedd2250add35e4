package config

import "strings"

// proxyAdvice says what happens if the issuer does not know the proxy in front of it. There is one, because
// the issuer's URL is https and the program itself speaks plain HTTP.
func (c *Config) proxyAdvice() []string {
	if !strings.HasPrefix(c.Issuer, "https://") || len(c.TrustedProxies) > 0 {
		return nil
	}
	return []string{"trusted_proxies is empty, but the issuer is https, so a proxy is in front of it: list the proxy's addresses. " +
		"Until then all clients have its address: they share one limit of forged credentials, and sessions, the log and binding.ip have no other"}
}

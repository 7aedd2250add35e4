package main

import (
	"log/slog"
	"net"
	"net/netip"
	"time"

	"issuer.example/cmd/issuer/internal/config"
	"issuer.example/cmd/issuer/internal/process"
	"issuer.example/handlers/origin"
)

// reservedFiles is how many files the program has open besides connections.
const reservedFiles = 300

// warn logs settings that are allowed but may be a mistake.
func warn(log *slog.Logger, c *config.Config, dev bool, now, built time.Time) {
	if now.Before(built) {
		log.Warn("the clock is before the time that this program was built: tokens will be refused elsewhere",
			"now", now.UTC(), "built", built)
	}
	if !isLoopback(c.Admin.Listen) {
		log.Warn("the admin listener can be reached from other machines, in plain HTTP", "listen", c.Admin.Listen)
	}
	if dev && !isLoopback(c.Listen) {
		log.Warn("--dev, and the public listener can be reached from other machines", "listen", c.Listen)
	}
	for _, proxy := range c.TrustedProxies {
		if prefix, err := config.ParseProxy(proxy); err == nil && prefix.Bits() == 0 {
			log.Warn("trusted_proxies holds every address, so every client can choose the address and the host that are believed", "block", proxy)
		}
	}
	for _, entry := range c.CORS.AllowedOrigins {
		if origin.IsPublic(entry) {
			log.Warn("cors.allowed_origins holds a suffix below which anybody can get a name, and so act as the users who open the page", "origin", entry)
		}
	}
	if limit, ok := process.OpenFiles(); ok && limit < int64(c.Limits.Connections)+reservedFiles {
		log.Warn("limits.connections is more than the limit of open files allows",
			"connections", c.Limits.Connections, "open_files", limit)
	}
}

// isLoopback reports whether a listener at this address can only be reached from this
// machine.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

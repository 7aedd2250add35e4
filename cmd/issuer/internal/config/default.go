package config

import "time"

// Default returns the configuration when neither file nor environment sets a key.
func Default() *Config {
	return &Config{
		Issuer: "http://localhost:8080",
		Hosts:  []string{},
		Listen: "127.0.0.1:8080",
		Admin:  Admin{Listen: "127.0.0.1:9090"},
		Store: Store{
			Driver: DriverBolt, FactsKeep: time.Hour, Path: "data/issuer.db", LockWait: 10 * time.Second,
			Notify: "listen", PollInterval: 250 * time.Millisecond, MaxConnections: 16,
			StatementTimeout: 5 * time.Second, PreparedStatements: true,
		},
		Secrets: []string{"data/issuer.secret"},
		AccessToken: AccessToken{
			Lifetime: 5 * time.Minute, Algorithm: "ES256", Audience: []string{},
		},
		Keys: Keys{RotateEvery: 720 * time.Hour, PublishBefore: time.Hour},
		Session: Session{
			IdleTimeout: 168 * time.Hour, AbsoluteTimeout: 720 * time.Hour,
			FreshAge: 10 * time.Minute, OnLimit: "evict_oldest", History: 720 * time.Hour,
		},
		Refresh: Refresh{ConcurrencyWindow: 10 * time.Second, LateRetry: "allow"},
		Binding: Binding{IP: "log", UserAgent: "log"},
		Cookies: Cookies{
			Prefix: "better-auth", Secure: "auto", SameSite: "lax", CacheMaxAge: 5 * time.Minute,
		},
		CORS:           CORS{AllowedOrigins: []string{}},
		BetterAuth:     BetterAuth{BasePath: "/api/auth"},
		TrustedProxies: []string{},
		ServiceKeys:    []ServiceKey{},
		Limits:         Limits{Connections: 10000, FeedStreamsPerKey: 1000, IdleConnection: 130 * time.Second},
		Log:            Log{Level: "info"},
	}
}

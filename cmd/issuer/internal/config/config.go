// Package config reads the settings of the issuer: the defaults, over them the
// file config.yaml, over that the environment.
//
// It is strict. An unknown key, a wrong type, a key given twice or a bad value is a
// [Fault] that names its line, or its variable; [Load] collects all of them and
// returns them together as [Faults].
//
// A variable is ISSUER_ and the path of the key in capitals, joined by "_":
// ISSUER_ACCESS_TOKEN_LIFETIME. Lists are separated by commas, service keys are
// JSON. The keys that are secret or name secrets (store.dsn, service_keys,
// secrets) also have a form that ends in _FILE.
package config

import (
	"time"

	"issuer.example/client"
)

// Config is every setting. [Default] gives the values that hold when nothing is
// set; the shipped config.yaml explains each key. Durations are at least whole
// milliseconds, unless a key says otherwise.
type Config struct {
	Issuer         string       `koanf:"issuer"`
	Listen         string       `koanf:"listen"`
	Admin          Admin        `koanf:"admin"`
	Store          Store        `koanf:"store"`
	Secrets        []string     `koanf:"secrets"`
	AccessToken    AccessToken  `koanf:"access_token"`
	Keys           Keys         `koanf:"keys"`
	Session        Session      `koanf:"session"`
	Refresh        Refresh      `koanf:"refresh"`
	Binding        Binding      `koanf:"binding"`
	Cookies        Cookies      `koanf:"cookies"`
	CORS           CORS         `koanf:"cors"`
	BetterAuth     BetterAuth   `koanf:"better_auth"`
	TrustedProxies []string     `koanf:"trusted_proxies"`
	ServiceKeys    []ServiceKey `koanf:"service_keys"`
	Limits         Limits       `koanf:"limits"`
	Log            Log          `koanf:"log"`
}

// Admin is the second listener: admin API, console, metrics, pprof.
type Admin struct {
	Listen string `koanf:"listen"`
}

// Store says where sessions are kept.
type Store struct {
	Driver string `koanf:"driver"`
	Path   string `koanf:"path"`
	DSN    string `koanf:"dsn"`
	Check  bool   `koanf:"check"`
}

// AccessToken is about the short-lived JWT.
type AccessToken struct {
	Lifetime  time.Duration `koanf:"lifetime"`
	Algorithm string        `koanf:"algorithm"`
	Audience  []string      `koanf:"audience"`
	Leeway    time.Duration `koanf:"leeway"`
}

// Audience is who access tokens are for where a mint names nobody: the issuer itself,
// unless access_token.audience says.
func (c *Config) Audience() []string {
	if len(c.AccessToken.Audience) == 0 {
		return []string{c.Issuer}
	}
	return c.AccessToken.Audience
}

// Keys is the schedule of the signing keys.
type Keys struct {
	RotateEvery   time.Duration `koanf:"rotate_every"`
	PublishBefore time.Duration `koanf:"publish_before"`
}

// Session is the policy of sessions.
type Session struct {
	IdleTimeout            time.Duration `koanf:"idle_timeout"`
	AbsoluteTimeout        time.Duration `koanf:"absolute_timeout"`
	UpdateAge              time.Duration `koanf:"update_age"`
	FreshAge               time.Duration `koanf:"fresh_age"`
	MaxPerUser             int           `koanf:"max_per_user"`
	OnLimit                string        `koanf:"on_limit"`
	History                time.Duration `koanf:"history"`
	RevokeAllRequiresFresh bool          `koanf:"revoke_all_requires_fresh"`
}

// Refresh is the policy of refresh tokens.
type Refresh struct {
	ConcurrencyWindow time.Duration `koanf:"concurrency_window"`
	LateRetry         string        `koanf:"late_retry"`
}

// Binding says what a change of address or browser means at a refresh.
type Binding struct {
	IP        string `koanf:"ip"`
	UserAgent string `koanf:"user_agent"`
}

// Cookies is about the cookies of browsers.
type Cookies struct {
	Prefix      string        `koanf:"prefix"`
	Secure      string        `koanf:"secure"`
	Domain      string        `koanf:"domain"`
	SameSite    string        `koanf:"same_site"`
	CacheMaxAge time.Duration `koanf:"cache_max_age"`
}

// CORS names the front ends on other origins.
type CORS struct {
	AllowedOrigins []string `koanf:"allowed_origins"`
}

// BetterAuth is the surface for better-auth clients.
type BetterAuth struct {
	BasePath          string `koanf:"base_path"`
	ListRequiresFresh bool   `koanf:"list_requires_fresh"`
}

// ServiceKey is one caller of the service and admin API. SHA256 is the SHA-256 of
// the whole key text in lower-case hex; the key itself is nowhere in the settings.
type ServiceKey struct {
	Name   string   `koanf:"name"`
	SHA256 string   `koanf:"sha256"`
	Scopes []string `koanf:"scopes"`
}

// Key parses the hash and the scopes. It succeeds for every key that [Load] returns.
func (k ServiceKey) Key() (client.Key, error) {
	hash, err := client.ParseHash(k.SHA256)
	if err != nil {
		return client.Key{}, err
	}
	scopes := make([]client.Scope, len(k.Scopes))
	for i, text := range k.Scopes {
		if scopes[i], err = client.ParseScope(text); err != nil {
			return client.Key{}, err
		}
	}
	return client.Key{Name: k.Name, SHA256: hash, Scopes: scopes}, nil
}

// Limits bounds what callers may use up.
type Limits struct {
	Connections       int `koanf:"connections"`
	FeedStreams       int `koanf:"feed_streams"`
	FeedStreamsPerKey int `koanf:"feed_streams_per_key"`
}

// Log is about the program's own log.
type Log struct {
	Level string `koanf:"level"`
}

// Default is the configuration when neither file nor environment sets anything.
func Default() *Config {
	return &Config{
		Issuer:  "http://localhost:8080",
		Listen:  "127.0.0.1:8080",
		Admin:   Admin{Listen: "127.0.0.1:9090"},
		Store:   Store{Driver: "bolt", Path: "data/issuer.db"},
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
		Limits:         Limits{Connections: 10000, FeedStreamsPerKey: 1000},
		Log:            Log{Level: "info"},
	}
}

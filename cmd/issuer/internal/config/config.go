// Package config reads the configuration of the issuer. The file config.yaml overrides the
// defaults, and the environment overrides both.
//
// Reading is strict. An unknown key, a wrong type, a key given twice or a bad value is a
// [Fault] that names its line or its variable. [Load] returns all faults together as
// [Faults].
//
// The variable of a key is ISSUER_ and its path in capitals, joined by "_":
// ISSUER_ACCESS_TOKEN_LIFETIME. An empty variable counts as not set. Lists are separated by
// commas; service keys are JSON. The
// keys that hold or name secrets (store.dsn, store.listen_dsn, service_keys, secrets) also have a
// variable that ends in _FILE.
package config

import "time"

// Config holds every key. [Default] returns the values of keys that are not set, and the
// shipped config.yaml explains each key.
type Config struct {
	Issuer         string       `yaml:"issuer"`
	Hosts          []string     `yaml:"hosts"`
	Listen         string       `yaml:"listen"`
	Admin          Admin        `yaml:"admin"`
	Store          Store        `yaml:"store"`
	Secrets        []string     `yaml:"secrets"`
	AccessToken    AccessToken  `yaml:"access_token"`
	Keys           Keys         `yaml:"keys"`
	Session        Session      `yaml:"session"`
	Refresh        Refresh      `yaml:"refresh"`
	Binding        Binding      `yaml:"binding"`
	Cookies        Cookies      `yaml:"cookies"`
	CORS           CORS         `yaml:"cors"`
	BetterAuth     BetterAuth   `yaml:"better_auth"`
	TrustedProxies []string     `yaml:"trusted_proxies"`
	ServiceKeys    []ServiceKey `yaml:"service_keys"`
	Limits         Limits       `yaml:"limits"`
	Log            Log          `yaml:"log"`
}

// Admin is the second listener: admin API, console, metrics, pprof.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Store says where sessions are kept.
type Store struct {
	Driver string `yaml:"driver"` // [DriverBolt] or [DriverPostgres]
	// FactsKeep is how long facts are kept beyond what verifiers need.
	FactsKeep time.Duration `yaml:"facts_keep"`

	// Of the driver bolt.
	Path  string `yaml:"path"`
	Check bool   `yaml:"check"`
	// LockWait is how long a start waits for another process to let go of the file.
	LockWait time.Duration `yaml:"lock_wait"`

	// Of the driver postgres.
	DSN                string        `yaml:"dsn"`
	ListenDSN          string        `yaml:"listen_dsn"`
	PasswordFile       string        `yaml:"password_file"`
	Notify             string        `yaml:"notify"` // listen or poll
	PollInterval       time.Duration `yaml:"poll_interval"`
	MaxConnections     int           `yaml:"max_connections"`
	StatementTimeout   time.Duration `yaml:"statement_timeout"`
	PreparedStatements bool          `yaml:"prepared_statements"`
	RequireSynchronous bool          `yaml:"require_synchronous"`
}

// The values of store.driver.
const (
	DriverBolt     = "bolt"
	DriverPostgres = "postgres"
)

// AccessToken describes the short-lived JWT.
type AccessToken struct {
	Lifetime  time.Duration `yaml:"lifetime"`
	Algorithm string        `yaml:"algorithm"`
	Audience  []string      `yaml:"audience"`
	Leeway    time.Duration `yaml:"leeway"`
}

// Audience returns the `aud` of access tokens whose mint names none: access_token.audience, or
// the issuer itself when that is empty.
func (c *Config) Audience() []string {
	if len(c.AccessToken.Audience) == 0 {
		return []string{c.Issuer}
	}
	return c.AccessToken.Audience
}

// Keys is the schedule of the signing keys.
type Keys struct {
	RotateEvery   time.Duration `yaml:"rotate_every"`
	PublishBefore time.Duration `yaml:"publish_before"`
}

// Session is the policy of sessions.
type Session struct {
	IdleTimeout            time.Duration `yaml:"idle_timeout"`
	AbsoluteTimeout        time.Duration `yaml:"absolute_timeout"`
	UpdateAge              time.Duration `yaml:"update_age"`
	FreshAge               time.Duration `yaml:"fresh_age"`
	MaxPerUser             int           `yaml:"max_per_user"`
	OnLimit                string        `yaml:"on_limit"`
	History                time.Duration `yaml:"history"`
	RevokeAllRequiresFresh bool          `yaml:"revoke_all_requires_fresh"`
}

// Refresh is the policy of refresh tokens.
type Refresh struct {
	ConcurrencyWindow time.Duration `yaml:"concurrency_window"`
	LateRetry         string        `yaml:"late_retry"`
}

// Binding says what a refresh does when the address or the browser has changed.
type Binding struct {
	IP        string `yaml:"ip"`
	UserAgent string `yaml:"user_agent"`
}

// Cookies describes the cookies of browsers.
type Cookies struct {
	Prefix      string        `yaml:"prefix"`
	Secure      string        `yaml:"secure"`
	Domain      string        `yaml:"domain"`
	SameSite    string        `yaml:"same_site"`
	CacheMaxAge time.Duration `yaml:"cache_max_age"`
}

// CORS lists the front ends on other origins.
type CORS struct {
	AllowedOrigins []string `yaml:"allowed_origins"`
}

// BetterAuth describes the routes for better-auth clients.
type BetterAuth struct {
	BasePath          string `yaml:"base_path"`
	ListRequiresFresh bool   `yaml:"list_requires_fresh"`
}

// Limits bounds the resources that callers may use.
type Limits struct {
	Connections       int `yaml:"connections"`
	FeedStreams       int `yaml:"feed_streams"`
	FeedStreamsPerKey int `yaml:"feed_streams_per_key"`
	// IdleConnection is how long a connection without a request stays open.
	IdleConnection time.Duration `yaml:"idle_connection"`
}

// Log describes the program's own log.
type Log struct {
	Level string `yaml:"level"`
}

package postgres

import (
	"log/slog"
	"time"
)

const (
	defaultMaxConnections   = 16
	defaultStatementTimeout = 5 * time.Second
	defaultPollInterval     = 250 * time.Millisecond
	defaultFactsKeep        = time.Hour
)

// Config says how to open a store.
type Config struct {
	DSN          string // of the database; required
	ListenDSN    string // of a session that no pooler cuts, for LISTEN and migrations; "": DSN
	PasswordFile string // read again for each connection; "": the DSN has the password, or none is needed

	Notify       Notify        // "": NotifyListen
	PollInterval time.Duration // how often the journal is looked at with NotifyPoll; 0: 250 ms

	MaxConnections   int           // 0: 16
	StatementTimeout time.Duration // 0: 5 s
	// NoPreparedStatements is for poolers that give each transaction another connection.
	NoPreparedStatements bool
	// RequireSynchronous refuses a server that may lose what it has acknowledged.
	RequireSynchronous bool

	// FactsKeep is how long facts are kept for their readers. 0: one hour.
	FactsKeep time.Duration
	Logger    *slog.Logger // nil: slog.Default
	// Observe is called after each commit of a write; it must not block. nil: nothing is called.
	Observe func(callers int, took time.Duration)

	dialer *dialer // of all connections
}

// Notify says how an issuer learns of what others have written.
type Notify string

// The ways to learn of it.
const (
	NotifyListen Notify = "listen"
	NotifyPoll   Notify = "poll"
)

func (cfg Config) withDefaults() Config {
	if cfg.Notify == "" {
		cfg.Notify = NotifyListen
	}
	if cfg.PollInterval <= 0 {
		cfg.PollInterval = defaultPollInterval
	}
	if cfg.MaxConnections <= 0 {
		cfg.MaxConnections = defaultMaxConnections
	}
	if cfg.StatementTimeout <= 0 {
		cfg.StatementTimeout = defaultStatementTimeout
	}
	if cfg.FactsKeep <= 0 {
		cfg.FactsKeep = defaultFactsKeep
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.dialer == nil {
		cfg.dialer = &dialer{}
	}
	return cfg
}

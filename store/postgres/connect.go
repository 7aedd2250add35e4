package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/internal/keyfile"
)

const (
	// connectTimeout bounds a whole attempt to connect to one host, unless the DSN has connect_timeout.
	connectTimeout = 5 * time.Second
	// pingTimeout bounds the check of a connection that was idle for a second.
	pingTimeout = time.Second
	// maxPassword bounds the password file, in bytes.
	maxPassword = 4096
	// applicationName is how the connections are called in pg_stat_activity, unless the DSN has application_name.
	applicationName = "issuer"
)

// poolConfig returns the configuration of the pool. cfg has its defaults.
func poolConfig(cfg Config) (*pgxpool.Config, error) {
	if err := checkDSN(cfg.DSN); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDSN, err)
	}
	c, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDSN, parseProblem(err))
	}
	cfg.prepare(c.ConnConfig)
	cfg.setParameters(c.ConnConfig)
	c.MaxConns = int32(cfg.MaxConnections) //nolint:gosec // the configuration bounds it
	c.PingTimeout = pingTimeout
	c.MaxConnLifetimeJitter = c.MaxConnLifetime / 10
	c.BeforeConnect = cfg.readPassword
	return c, nil
}

// sessionConfig returns the configuration of a connection that no pooler may cut: one that listens, or
// that migrates. Its statements may take any time. [Config.readPassword] completes it.
func sessionConfig(cfg Config) (*pgx.ConnConfig, error) {
	dsn := cmp.Or(cfg.ListenDSN, cfg.DSN)
	if err := checkDSN(dsn); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDSN, err)
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDSN, parseProblem(err))
	}
	cfg.prepare(c)
	return c, nil
}

// connectSession opens a connection of [sessionConfig].
func connectSession(ctx context.Context, cfg Config) (*pgx.Conn, error) {
	c, err := sessionConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := cfg.readPassword(ctx, c); err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, c)
}

// prepare sets what all connections have in common.
func (cfg Config) prepare(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	c.DialFunc = cfg.dialer.dial
	// A server that does not accept writes is of no use, such as a primary that has become a standby.
	c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = applicationName
	}
	if cfg.NoPreparedStatements {
		// The parameter types are asked for once, and then each query is one message group of its own.
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		c.StatementCacheCapacity = 0
	}
}

// setParameters bounds the statements of a connection, and has them run as they are planned, where the DSN does not say
// otherwise. A pooler that gives each transaction another connection does not pass such parameters on: there, the role
// has to have them.
func (cfg Config) setParameters(c *pgx.ConnConfig) {
	if cfg.NoPreparedStatements {
		return
	}
	limit := cfg.StatementTimeout
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	for name, value := range map[string]string{
		"statement_timeout":                   milliseconds(limit),
		"lock_timeout":                        milliseconds(limit * 4 / 5), // less, so that the error names the cause
		"idle_in_transaction_session_timeout": milliseconds(limit),         // an issuer that hangs must not keep its locks
		// A batch over many partitions looks expensive, and compiling it takes longer than all of its few rows.
		"jit": "off",
	} {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
}

// readPassword sets the password from the file, so that a connection after a rotation has the new one.
func (cfg Config) readPassword(_ context.Context, c *pgx.ConnConfig) error {
	if cfg.PasswordFile == "" {
		return nil
	}
	password, err := readPassword(cfg.PasswordFile)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasswordFile, err)
	}
	c.Password = password
	return nil
}

// readPassword reads a file that holds a password and at most one newline after it.
func readPassword(path string) (string, error) {
	text, err := keyfile.Read(path, maxPassword+1)
	if err != nil {
		return "", err
	}
	if len(text) > maxPassword {
		return "", fmt.Errorf("%s holds more than %d bytes; it must hold the password alone", path, maxPassword)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	switch {
	case len(text) == 0:
		return "", fmt.Errorf("%s is empty; it must hold the password", path)
	case bytes.ContainsAny(text, "\n\r\x00"):
		return "", fmt.Errorf("%s holds more than one line; it must hold the password alone", path)
	}
	return string(text), nil
}

// errNoDSN means that there is nothing to connect to.
var errNoDSN = errors.New("it is empty")

package postgres

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// probeInterval is how often the server is asked whether it can be used, and outageInterval during an outage. An
	// operation that fails has it asked at once, with suspectInterval between two.
	probeInterval   = time.Second
	outageInterval  = 100 * time.Millisecond
	suspectInterval = 20 * time.Millisecond
	// answerTimeout bounds how long an answer may take, and probeConnectTimeout a connection with the first answer.
	answerTimeout       = 2 * time.Second
	probeConnectTimeout = 4 * time.Second
)

// probeServer asks whether transactions can write here, and how old a program may be for the tables: they may have been
// migrated since the store was opened.
const probeServer = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
	version, oldest_program FROM issuer_schema WHERE id`

var errReadOnly = errors.New("it is read-only: a standby, or a primary that was demoted")

// monitor asks the server whether it can be used, on a connection of its own: a busy pool is no outage.
type monitor struct {
	db   *DB
	conn *pgx.Conn // nil: none is open
}

// run asks until the context ends.
func (m *monitor) run(ctx context.Context) {
	defer m.disconnect(ctx)
	for {
		interval := probeInterval
		if _, outage := m.db.health.answers(); outage != nil {
			interval = outageInterval
		}
		suspected := m.wait(ctx, interval)
		if ctx.Err() != nil {
			return
		}
		m.report(ctx, m.probe(ctx))
		if suspected {
			sleep(ctx, suspectInterval)
		}
	}
}

// wait waits for the time of the next question. It reports whether an operation has asked for it.
func (m *monitor) wait(ctx context.Context, interval time.Duration) (suspected bool) {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.db.health.suspected:
		return true
	case <-ctx.Done():
	}
	return false
}

// report records an answer. Connections to a server that cannot be used, or could not be, are dropped.
func (m *monitor) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && m.db.health.outageBegins(err):
		m.db.cfg.Logger.WarnContext(ctx, "the database cannot be used; requests are refused until it can", slog.Any("error", err))
		m.db.pool.Reset()
	case err == nil && m.db.health.outageEnds():
		m.db.cfg.Logger.InfoContext(ctx, "the database can be used again")
		m.db.pool.Reset()
	}
}

// probe asks the server, over a new connection if there is none.
func (m *monitor) probe(ctx context.Context) error {
	if m.conn != nil {
		bounded, cancel := context.WithTimeout(ctx, answerTimeout)
		err := ask(bounded, m.conn)
		slow := bounded.Err() != nil
		cancel()
		if err == nil || isSchemaWrong(err) {
			return err
		}
		m.disconnect(ctx)
		if slow || errors.Is(err, errReadOnly) {
			m.report(ctx, err) // a new connection can take a while
		}
		// If the server ended this connection, it has probably ended those of the pool.
		m.db.pool.Reset()
	}
	return m.connect(ctx)
}

// connect opens a connection and asks the server.
func (m *monitor) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeConnectTimeout)
	defer cancel()
	conn, err := connectProbe(ctx, m.db.cfg)
	if isFull(err) {
		return m.askPool(ctx)
	}
	if err != nil {
		return explainConnect(err)
	}
	m.conn = conn
	if err = ask(ctx, conn); err != nil && !isSchemaWrong(err) {
		m.disconnect(ctx)
	}
	return err
}

// isSchemaWrong reports whether the server can be used and its tables cannot.
func isSchemaWrong(err error) bool {
	return errors.Is(err, ErrNewerSchema) || errors.Is(err, ErrOlderSchema)
}

// askPool asks the server on a connection of the pool. While all that there are have work, nothing is wrong with it.
func (m *monitor) askPool(ctx context.Context) error {
	err := m.db.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return ask(ctx, c.Conn()) })
	if isFull(err) && m.db.pool.Stat().AcquiredConns() > 0 {
		return nil
	}
	return err
}

// connectProbe opens a connection like those of the pool.
func connectProbe(ctx context.Context, cfg Config) (*pgx.Conn, error) {
	pool, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.BeforeConnect(ctx, pool.ConnConfig); err != nil {
		return nil, err
	}
	pool.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // it leaves nothing behind at a pooler
	return pgx.ConnectConfig(ctx, pool.ConnConfig)
}

func ask(ctx context.Context, conn *pgx.Conn) error {
	var (
		readOnly        bool
		version, oldest int64
	)
	if err := conn.QueryRow(ctx, probeServer).Scan(&readOnly, &version, &oldest); err != nil {
		return err
	}
	if readOnly {
		return errReadOnly
	}
	return compareSchema(version, oldest, newestMigration())
}

func (m *monitor) disconnect(ctx context.Context) {
	if m.conn != nil {
		closeConn(ctx, m.conn)
		m.conn = nil
	}
}

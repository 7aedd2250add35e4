package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// errPooler means that each transaction can be on another connection of the server.
	errPooler = errors.New("a pooler in front of the server loses prepared statements, as pgbouncer with pool_mode = transaction does: " +
		"set store.prepared_statements: false")
	// errListenPooler means that what the session asked for is lost with the transaction.
	errListenPooler = errors.New("a pooler in front of the server gives each transaction another connection, so that LISTEN hears nothing: " +
		"set store.listen_dsn to a DSN that leads past it, or store.notify: poll")
)

// poolerTimeout bounds the statements that look for a pooler, which can be out of connections.
const poolerTimeout = 2 * time.Second

// checkPooler refuses what does not work through the pooler in front of the server, if there is one.
func (cfg Config) checkPooler(ctx context.Context, conn *pgx.Conn, c *pgx.ConnConfig) error {
	if !cfg.NoPreparedStatements {
		if shared, err := loses(ctx, conn, c, true); err != nil {
			return err
		} else if shared {
			return errPooler
		}
	}
	if cfg.Notify == NotifyPoll {
		return nil
	}
	listener, err := connectSession(ctx, cfg)
	if err != nil {
		err = explainConnect(err)
		if cfg.ListenDSN != "" {
			return fmt.Errorf("%w: %w", ErrListenDSN, err)
		}
		return err
	}
	defer closeConn(ctx, listener)
	if shared, err := loses(ctx, listener, listener.Config(), false); err != nil {
		return err
	} else if shared {
		return errListenPooler
	}
	return nil
}

// loses reports whether a session loses what it has: its prepared statements, or else its connection to the
// server. It looks whether a second connection in a transaction takes the first one's place.
func loses(ctx context.Context, conn *pgx.Conn, c *pgx.ConnConfig, prepared bool) (bool, error) {
	pid, err := backend(ctx, conn)
	if err != nil || pid == conn.PgConn().PID() {
		return false, err // nothing is in between
	}
	name := "issuer_check_" + rand.Text()
	if prepared {
		if _, err := conn.PgConn().Prepare(ctx, name, "SELECT 1", nil); err != nil {
			return false, explainCheck(err)
		}
	}
	other, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return false, explainConnect(err)
	}
	defer closeConn(ctx, other)
	tx, err := other.Begin(ctx)
	if err != nil {
		return false, explainCheck(err)
	}
	taken, err := backend(ctx, other)
	if err != nil || taken != pid || !prepared {
		return taken == pid, err
	}
	lost := executeLost(ctx, conn, name)
	if lost {
		_, _ = tx.Exec(ctx, "DEALLOCATE "+name) // it is there; the pooler can end the connection as well
	}
	return lost, nil
}

// backend returns the process of the server that serves the connection.
func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return 0, explainCheck(err)
	}
	return pid, nil
}

// executeLost reports whether the server does not know a statement that the connection has prepared.
func executeLost(ctx context.Context, conn *pgx.Conn, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, poolerTimeout)
	defer cancel()
	_, err := conn.PgConn().ExecPrepared(ctx, name, nil, nil, nil).Close()
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	// Otherwise it is executed, or waits for the only connection that a pooler has, which keeps its statements.
	return ok && isPreparedLost(refusal.Code)
}

// isPreparedLost reports whether an error means that the statement was prepared on another connection:
// invalid_sql_statement_name, duplicate_prepared_statement, protocol_violation.
func isPreparedLost(code string) bool {
	return code == "26000" || code == "42P05" || code == "08P01"
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"issuer.example/session"
)

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("%w: the store is closed", session.ErrUnavailable)

// sqlState is the SQLSTATE of an error of the server; "" if it is not one.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// isRetryable reports whether a transaction failed only because of others: a serialization failure or a deadlock.
func isRetryable(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}

// isConnectionLost reports whether an error says nothing of what the server has done: the connection was lost.
func isConnectionLost(err error) bool {
	if err == nil || pgconn.SafeToRetry(err) {
		return false
	}
	switch code := sqlState(err); {
	case code == "":
	case code == "57P01", code == "57P02", code == "57P03", code == "57P05", code == "25P03", strings.HasPrefix(code, "08"):
		// the server has ended the connection: by an operator, in a crash, as idle, as idle in a transaction
		return true
	default:
		return false
	}
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.As(err, &network) || pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded)
}

// isLocked reports whether somebody else has had a lock for too long: lock_not_available.
func isLocked(err error) bool { return sqlState(err) == "55P03" }

// isFull reports whether the server has no connection left: too_many_connections.
func isFull(err error) bool { return sqlState(err) == "53300" }

// isUnsent reports whether the server has got nothing of a statement: the connection was lost before it. What came before
// in its transaction is lost, too.
func isUnsent(err error) bool { return err != nil && pgconn.SafeToRetry(err) }

// isTablesLost reports whether the tables are not there any more as they were at the start, or the role may not use them:
// insufficient_privilege, undefined_table, undefined_column, invalid_schema_name.
func isTablesLost(code string) bool {
	return code == "42501" || code == "42P01" || code == "42703" || code == "3F000"
}

// isUnavailable reports whether an error says that the server cannot answer now.
func isUnavailable(err error) bool {
	switch code := sqlState(err); {
	case code == "":
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"), strings.HasPrefix(code, "58"),
		code == "25006", code == "28P01", code == "28000", code == "3D000", code == "55P03", isRetryable(err):
		// connection, resources, operator, system; read only, login, no database; lock timeout; conflicts without an end
		return true
	default:
		return false
	}
	var connect *pgconn.ConnectError
	return errors.Is(err, session.ErrUnavailable) || isConnectionLost(err) || errors.As(err, &connect) || pgconn.SafeToRetry(err) ||
		errors.Is(err, context.Canceled)
}

// wrap turns an error of the database into one of the port. Errors of the domains stay as they are.
func wrap(err error) error {
	if err == nil || errors.Is(err, session.ErrUnavailable) || !isUnavailable(err) {
		return err
	}
	return fmt.Errorf("%w: postgres: %w", session.ErrUnavailable, hidden{err})
}

// hidden is an error whose text is shown and that nobody is to match: a deadline of the store's own is not the caller's.
type hidden struct{ err error }

func (h hidden) Error() string { return h.err.Error() }

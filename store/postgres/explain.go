package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// problem is an error in words for an operator. They hold nothing secret.
type problem struct {
	text  string
	cause error
}

func (p *problem) Error() string { return p.text }
func (p *problem) Unwrap() error { return p.cause }

func problemf(cause error, format string, args ...any) error {
	return &problem{text: fmt.Sprintf(format, args...), cause: cause}
}

// explainConnect says why there is no connection, and what to do. With several hosts, the answer of a
// server counts more than that there was none.
func explainConnect(err error) error {
	for _, explain := range []func(error) error{explainOwn, explainServer, explainReadOnly, explainTLS, explainNetwork} {
		if explained := explain(err); explained != nil {
			return explained
		}
	}
	return problemf(err, "the connection to the database failed: %v", err)
}

// explainOwn returns what was wrong before anything was sent.
func explainOwn(err error) error {
	if errors.Is(err, ErrDSN) || errors.Is(err, ErrPasswordFile) {
		return err
	}
	return nil
}

// explainServer explains a refusal of the server or of a pooler in front of it.
func explainServer(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return nil
	}
	who := target(err)
	switch refusal.Code {
	case "28P01": // invalid_password
		return problemf(err, "%s refuses the password: correct it in the DSN or the password file", who)
	case "28000": // invalid_authorization_specification
		return problemf(err, "%s does not let the user in (%s): add the role, or a line to its pg_hba.conf", who, refusal.Message)
	case "3D000": // invalid_catalog_name
		return problemf(err, "%s has no such database: correct the DSN, or create it with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0", who)
	case "53300": // too_many_connections
		return problemf(err, "%s has too many connections: raise max_connections there, or lower store.max_connections of all issuers", who)
	case "57P03": // cannot_connect_now
		return problemf(err, "%s does not accept connections now (%s): try again", who, refusal.Message)
	case "42501": // insufficient_privilege
		return problemf(err, "%s refuses the user: GRANT CONNECT ON DATABASE to it", who)
	case "42704", "22023": // undefined_object, invalid_parameter_value
		return problemf(err, "%s refuses a parameter of the DSN: %s", who, refusal.Message)
	case "08P01": // protocol_violation: pgbouncer refuses with it
		return explainPooler(err, who, refusal.Message)
	}
	return problemf(err, "%s refuses the connection: %s (SQLSTATE %s)", who, refusal.Message, refusal.Code)
}

// explainPooler explains the refusals of pgbouncer.
func explainPooler(err error, who, message string) error {
	if strings.Contains(message, "unsupported startup parameter") {
		return problemf(err, "a pooler stands in front of %s and refuses the timeouts of a session: set store.prepared_statements: false and "+
			"store.listen_dsn, or, if it keeps prepared statements, put statement_timeout, lock_timeout, "+
			"idle_in_transaction_session_timeout and jit into its ignore_startup_parameters", who)
	}
	return problemf(err, "the pooler in front of %s refuses the connection: %s", who, message)
}

// target names the user and the database of the connection that failed.
func target(err error) string {
	if failed, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Sprintf("the server of database %q (user %q)", failed.Config.Database, failed.Config.User)
	}
	return "the server of the database"
}

// explainTLS explains why the server is not the one that was asked for.
func explainTLS(err error) error {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return problemf(err, "the certificate of the database server does not match the host %q: connect to a name that it holds, or give it one with that name", wrong.Host)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return problemf(err, "the certificate of the database server is signed by an unknown authority: name its CA file with sslrootcert in the DSN")
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return problemf(err, "the certificate of the database server is not valid: %v", invalid)
	}
	if strings.Contains(err.Error(), "server refused TLS connection") {
		return problemf(err, "the database server has no TLS, which sslmode in the DSN asks for: turn it on there (ssl = on), or use another sslmode")
	}
	return nil
}

// explainReadOnly explains that no server takes writes.
func explainReadOnly(err error) error {
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return problemf(err, "the database server is read-only, as a standby is: name the primary in the DSN, or all servers, separated by commas")
	}
	return nil
}

// explainNetwork explains that no server answers.
func explainNetwork(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return problemf(err, "the host %q of the DSN is not known: correct its name", dns.Name)
	}
	at := "the address of the DSN"
	if failed, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		_, at = pgconn.NetworkAddress(failed.Config.Host, failed.Config.Port)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		at = op.Addr.String()
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return problemf(err, "no database server listens at %s: start it, or correct host and port of the DSN", at)
	case errors.Is(err, fs.ErrNotExist):
		return problemf(err, "there is no socket of a database server at %s: start it, or correct host and port of the DSN", at)
	case errors.Is(err, fs.ErrPermission):
		return problemf(err, "this user may not use the socket of the database server at %s", at)
	case errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || isTimeout(err):
		return problemf(err, "the database server at %s does not answer in time: check host and port of the DSN, and the firewall", at)
	}
	return nil
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

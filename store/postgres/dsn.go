package postgres

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrDSN means that a data source name cannot be used. The error says why and quotes nothing of it.
	ErrDSN = errors.New("the DSN cannot be used")
	// ErrListenDSN means that the connection of [Config.ListenDSN] cannot be made.
	ErrListenDSN = errors.New("the DSN for listening cannot be used")
	// ErrPasswordFile means that the file with the password cannot be used.
	ErrPasswordFile = errors.New("the password file cannot be used")
)

// maxDSN bounds a data source name, in bytes.
const maxDSN = 8192

// dsnKeys are the parameters that a DSN may have. Others would go to the server as settings of the session,
// so that a typo in sslmode would leave the connection without the TLS that was asked for.
var dsnKeys = []string{
	"host", "port", "dbname", "user", "password", "passfile", "connect_timeout", "application_name",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslsni", "sslcertmode", "sslnegotiation",
	"target_session_attrs", "channel_binding", "require_auth", "min_protocol_version", "max_protocol_version",
	"service", "servicefile", "options", "search_path",
	"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit",
}

// checkDSN refuses a DSN that cannot be read, and one with unknown parameters. Its errors say what is wrong
// with it without any part of it, because a password can be in every part of one that is misspelt.
func checkDSN(dsn string) error {
	switch {
	case strings.TrimSpace(dsn) == "":
		return errNoDSN
	case len(dsn) > maxDSN:
		return errors.New("it is longer than 8192 bytes")
	}
	c, err := pgconn.ParseConfigWithOptions(dsn, pgconn.ParseConfigOptions{ConnStringAllowedKeys: dsnKeys})
	if err != nil {
		return parseProblem(err)
	}
	// Errors name host, user and database. None of them may be a part of a password that is not escaped.
	for _, name := range namesOf(c) {
		if strings.Contains(name, "@") {
			return errors.New("there is an @ in its host, user or database; " + escapes)
		}
	}
	return nil
}

// namesOf returns what errors may quote.
func namesOf(c *pgconn.Config) []string {
	names := []string{c.Host, c.User, c.Database}
	for _, f := range c.Fallbacks {
		names = append(names, f.Host)
	}
	return names
}

// escapes says how a URL holds a password.
const escapes = "in a URL, write the characters %, @, : and / of a password as %25, %40, %3A and %2F"

// parseProblem says what is wrong with a DSN in words of its own.
func parseProblem(err error) error {
	var file *fs.PathError
	if errors.As(err, &file) {
		return file // a certificate or key that the DSN names
	}
	// The message is behind the DSN, of which the library masks the password as well as it can.
	text := err.Error()
	for _, known := range dsnProblems {
		if strings.Contains(text[strings.LastIndex(text, "`")+1:], known.mark) {
			return errors.New(known.problem)
		}
	}
	return errors.New("it cannot be read; write postgres://user@host:5432/database?sslmode=verify-full or " +
		"host=… port=… user=… dbname=…; " + escapes)
}

// dsnProblems are what the library says, and what it means.
var dsnProblems = []struct{ mark, problem string }{
	{"is not in ConnStringAllowedKeys", "it has an unknown parameter, which may be a typo; known are " + strings.Join(dsnKeys, ", ")},
	{"sslmode is invalid", "its sslmode must be disable, allow, prefer, require, verify-ca or verify-full"},
	{"unable to add CA", "its sslrootcert names a file without a certificate in PEM form"},
	{"unable to load system certificate pool", "its sslrootcert is system, and this machine has no certificates"},
	{`both "sslcert" and "sslkey"`, "it must have both of sslcert and sslkey, or neither"},
	{"sslkey", "its sslkey names a file without a private key in PEM form"},
	{"decrypt key", "its sslpassword does not decrypt the key of sslkey"},
	{"invalid port", "its port must be a number from 1 to 65535; " + escapes},
	{"port numbers to", "it must have one port for all hosts, or one for each"},
	{"unknown target_session_attrs", "its target_session_attrs must be read-write, primary or any"},
	{"invalid connect_timeout", "its connect_timeout must be a number of seconds"},
	{"failed to read service", "its service cannot be read from the service file"},
}

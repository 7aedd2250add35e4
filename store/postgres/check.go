package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// minVersion is the oldest server that has what the statements need: PostgreSQL 15.
	minVersion = 150000
	// checkTimeout bounds a whole check.
	checkTimeout = 20 * time.Second
)

// Check looks whether [Open] would accept the database, without a change to it. The error says what to do; the
// notes say what would be better otherwise. Neither holds a password.
func Check(ctx context.Context, cfg Config) (notes []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	cfg = cfg.withDefaults()
	pool, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := cfg.readPassword(ctx, pool.ConnConfig); err != nil {
		return nil, err
	}
	// The checks themselves leave nothing behind on the connections of a pooler.
	pool.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, pool.ConnConfig)
	if err != nil {
		return nil, explainConnect(err)
	}
	defer closeConn(ctx, conn)
	if err := cfg.checkDatabase(ctx, conn); err != nil {
		return nil, err
	}
	if err := cfg.checkPooler(ctx, conn, pool.ConnConfig); err != nil {
		return nil, err
	}
	return cfg.notes(ctx, conn)
}

// preflight refuses a database that cannot be used, before anything is written to it.
func preflight(ctx context.Context, cfg Config) error {
	notes, err := Check(ctx, cfg)
	if err != nil {
		return err
	}
	for _, note := range notes {
		cfg.Logger.WarnContext(ctx, "the database could be set up better", "note", note)
	}
	return nil
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // nothing depends on it any more
}

// checkDatabase checks the server, the schema and what the role may do.
func (cfg Config) checkDatabase(ctx context.Context, conn *pgx.Conn) error {
	if err := checkServer(ctx, conn); err != nil {
		return explainCheck(err)
	}
	if err := checkSchema(ctx, conn); err != nil {
		return explainCheck(err)
	}
	if err := checkPrivileges(ctx, conn); err != nil {
		return explainCheck(err)
	}
	if cfg.RequireSynchronous {
		return explainCheck(checkSynchronous(ctx, conn))
	}
	return nil
}

// explainCheck adds what to do to a refusal of the server during the checks.
func explainCheck(err error) error {
	refusal, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok:
		return err
	case refusal.Code == "42501": // insufficient_privilege
		return problemf(err, "the role lacks a privilege (%s): grant it, as docs/postgres.md shows", refusal.Message)
	case refusal.Code == "42P01": // undefined_table
		return problemf(err, "a table is missing (%s): restore the database, or migrate an empty one", refusal.Message)
	case isPreparedLost(refusal.Code):
		return errPooler
	}
	return problemf(err, "the database refuses a check: %s (SQLSTATE %s)", refusal.Message, refusal.Code)
}

// checkServer checks the version, the encoding, and how transactions begin: with another isolation a statement of a
// batch would not see what was committed while the one before it waited for a lock.
func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var number int
	var version, encoding, isolation string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding'), current_setting('default_transaction_isolation')`).Scan(&number, &version, &encoding, &isolation)
	switch {
	case err != nil:
		return err
	case number < minVersion:
		return fmt.Errorf("the server is PostgreSQL %s, which is too old: upgrade it to 15 or later", version)
	case encoding != "UTF8":
		return fmt.Errorf("the database has the encoding %s: create one with ENCODING 'UTF8' TEMPLATE template0", encoding)
	case isolation != "read committed":
		return fmt.Errorf("transactions are %s by default: ALTER ROLE %q SET default_transaction_isolation = 'read committed'",
			isolation, conn.Config().User)
	}
	return nil
}

// tables are those that serving reads and writes.
var tables = []string{"sessions", "users", "marks", "pending_facts", "facts", "log_head", "key_set", "issuer_clocks", "verifier_postings"}

// checkPrivileges checks what the role may do with the tables.
func checkPrivileges(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT p || ' ON ' || t FROM unnest($1::text[]) t, unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE']) p
		WHERE NOT has_table_privilege(t, p) ORDER BY t, p`, tables)
	if err != nil {
		return err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the role %q lacks privileges: GRANT %s", conn.Config().User, strings.Join(missing, ", "))
	}
	return nil
}

// checkSynchronous refuses a server whose commits can be lost with it.
func checkSynchronous(ctx context.Context, conn *pgx.Conn) error {
	var commit, names string
	var standbys, readable, synchronous int
	err := conn.QueryRow(ctx, `SELECT current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
		count(*), count(sync_state), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) FROM pg_stat_replication`).
		Scan(&commit, &names, &standbys, &readable, &synchronous)
	const asked = "store.require_synchronous is set, and "
	switch {
	case err != nil:
		return err
	case commit == "off" || commit == "local":
		return fmt.Errorf(asked+"synchronous_commit is %s: set it to on", commit)
	case names == "":
		return errors.New(asked + "synchronous_standby_names is empty, so that no commit waits for a standby: name one")
	case standbys > 0 && readable == 0:
		return fmt.Errorf(asked+"the role may not see the standbys: GRANT pg_read_all_stats TO %q", conn.Config().User)
	case synchronous == 0:
		return errors.New(asked + "no synchronous standby is connected: start one that synchronous_standby_names names")
	}
	return nil
}

// notes says what would be better otherwise.
func (cfg Config) notes(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	var commit, timeout string
	err := conn.QueryRow(ctx, `SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')`).Scan(&commit, &timeout)
	if err != nil {
		return nil, explainCheck(err)
	}
	var notes []string
	if commit == "off" {
		notes = append(notes, "synchronous_commit is off: a crash of the server loses the newest commits, and what was revoked can be valid again")
	}
	if timeout == "0" {
		notes = append(notes, fmt.Sprintf("no statement_timeout holds: ALTER ROLE %q SET statement_timeout = '5s', because a pooler does not pass it on", conn.Config().User))
	}
	return notes, nil
}

package postgres

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/sid"
)

// filledSessions is how many rows the tables have, so that reading all of one would show in the plans.
const filledSessions = 5000

// smallTables have a row, or one an issuer. The plans may read all of them.
var smallTables = []string{"log_head", "key_set", "issuer_clocks", "pg_class", "issuer_schema", "verifier_postings"}

// No statement reads a whole table, however it is planned: with the values of its parameters known or not.
func TestPlans(t *testing.T) {
	db := openAt(t, Config{DSN: newDatabase(t)})
	ids := fillAll(t, db)
	conn, err := db.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for name, statement := range statements() {
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			plan, err := explain(t.Context(), conn.Conn(), statement, mode, ids)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, table := range regexp.MustCompile(`Seq Scan on (?:\w+\.)?(\w+)`).FindAllStringSubmatch(plan, -1) {
				if !isSmall(table[1]) {
					t.Errorf("%s reads all of %s (%s):\n%s", name, table[1], mode, plan)
				}
			}
			t.Logf("%s (%s):\n%s", name, mode, plan)
		}
	}
}

func isSmall(table string) bool {
	for _, small := range smallTables {
		if table == small {
			return true
		}
	}
	return false
}

// fillAll fills the tables and returns some sessions.
func fillAll(t *testing.T, db *DB) []sid.ID {
	t.Helper()
	ids := fill(t, db, filledSessions)
	for _, statement := range []string{
		`INSERT INTO users (user_id, newest) SELECT user_id, sid FROM sessions`,
		`INSERT INTO marks (scope, sid, marked_at, until, reason, change, settled, set_at) SELECT 'u:' || user_id, sid, at, at + interval '1 hour', 'x', 1, random() < 0.5, at FROM sessions, now() at`,
		`INSERT INTO pending_facts (id, kind, at, sid, scope, key_id, what, by_client) SELECT sid, 1, now(), sid, 'e', 'k', 'x', 'app' FROM sessions`,
		`INSERT INTO facts (number, revocation, kind, at, sid, scope, key_id, what, by_client, until) SELECT n, CASE WHEN n % 2 = 0 THEN n / 2 END, 1, now(), NULL, 'e', 'k', 'x', 'app', now() FROM generate_series(1, 5000) n`,
		`UPDATE log_head SET number = 5000, revocation = 2500`,
		`UPDATE sessions SET ended_at = now(), end_reason = 'x' WHERE random() < 0.5`,
		`ANALYZE`,
	} {
		if _, err := db.pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return ids[filledSessions/2 : filledSessions/2+3]
}

// explain runs a statement with its plan, in a transaction that is undone. If it cannot be run with made-up arguments,
// it is planned.
func explain(ctx context.Context, conn *pgx.Conn, statement, mode string, ids []sid.ID) (plan string, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer tx.Rollback(ctx) // it undoes the statement
	if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = "+mode); err != nil {
		return "", err
	}
	described, err := tx.Prepare(ctx, "explained", statement)
	if err != nil {
		return "", err
	}
	defer conn.Deallocate(ctx, "explained")
	execute := "EXECUTE explained"
	if args := arguments(statement, described.ParamOIDs, ids); args != "" {
		execute += " (" + args + ")"
	}
	if _, err := tx.Exec(ctx, "SAVEPOINT before"); err != nil {
		return "", err
	}
	plan, err = planOf(ctx, tx, "EXPLAIN (ANALYZE, BUFFERS) "+execute)
	if err == nil || !strings.HasPrefix(sqlState(err), "2") {
		return plan, err
	}
	if _, err := tx.Exec(ctx, "ROLLBACK TO before"); err != nil {
		return "", err
	}
	return planOf(ctx, tx, "EXPLAIN "+execute)
}

func planOf(ctx context.Context, tx pgx.Tx, explain string) (string, error) {
	rows, err := tx.Query(ctx, explain, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}

// arguments are literals for parameters of some types.
func arguments(statement string, types []uint32, ids []sid.ID) string {
	literals := map[uint32]string{
		pgtype.UUIDOID: ids[0].String(), pgtype.TextOID: ids[0].String(), pgtype.BoolOID: "true", pgtype.Int8OID: "10",
		pgtype.Int4OID: "10", pgtype.Int2OID: "1", pgtype.TimestamptzOID: "2026-03-01 13:00:00Z", pgtype.InetOID: "192.0.2.1",
		pgtype.ByteaOID: `\x00000000000000000000`, pgtype.JSONOID: "{}", pgtype.IntervalOID: "1 minute",
	}
	arrays := map[uint32]uint32{
		pgtype.UUIDArrayOID: pgtype.UUIDOID, pgtype.TextArrayOID: pgtype.TextOID, pgtype.BoolArrayOID: pgtype.BoolOID,
		pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.Int2ArrayOID: pgtype.Int2OID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID,
		pgtype.InetArrayOID: pgtype.InetOID, pgtype.ByteaArrayOID: pgtype.ByteaOID, pgtype.JSONArrayOID: pgtype.JSONOID,
	}
	if strings.Contains(statement, "FROM facts WHERE number >") {
		literals[pgtype.Int8OID], literals[pgtype.TimestamptzOID] = "4990", "now" // readers follow closely
	}
	args := make([]string, len(types))
	for i, oid := range types {
		literal, ok := literals[oid]
		if element, isArray := arrays[oid]; isArray {
			quoted := strings.ReplaceAll(literals[element], `\`, `\\`)
			literal, ok = `{"`+strings.Join([]string{quoted, quoted, quoted}, `","`)+`"}`, true
			if element == pgtype.UUIDOID || element == pgtype.TextOID {
				literal = "{" + ids[0].String() + "," + ids[1].String() + "," + ids[2].String() + "}"
			}
		}
		if args[i] = "'" + literal + "'"; !ok {
			args[i] = "NULL"
		}
	}
	return strings.Join(args, ", ")
}

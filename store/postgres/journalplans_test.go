package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The statements of the journal find what they need by an index, also when there is a lot of
// it and the planner knows the tables only by their size.
func TestJournalPlans(t *testing.T) {
	t.Parallel()
	conn := connect(t, newDatabase(t))
	fill := func(table, columns string) {
		if _, err := conn.Exec(t.Context(), `INSERT INTO `+table+` SELECT `+columns+` FROM generate_series(1, 20000) n`); err != nil {
			t.Fatal(err)
		}
	}
	fill(`pending_facts (id, kind, at, scope, key_id, what, by_client)`, `gen_random_uuid(), 1, now(), '', '', 'created', 'app'`)
	fill(`facts (number, revocation, kind, at, scope, key_id, what, by_client, until)`, `n, n, 3, now(), '', '', 'sign_out', 'app', now()`)
	for name, args := range map[string][]any{
		"numberFacts": {numberedAtOnce}, "numberFactsNotify": {numberedAtOnce}, "readHead": nil,
		"readFacts": {10, 100}, "readRevocations": {10, 100},
		"trimRevocations": {time.Now(), trimmedAtOnce}, "trimFacts": {time.Now(), trimmedAtOnce, time.Now()},
		"hasRecord": {time.Now(), "019341f2-8a3c-7b5e-9d21-0a1b2c3d4e5f", 19990, 6, time.Now(), nil, "", "", ""},
	} {
		rows, err := conn.Query(t.Context(), "EXPLAIN "+statements()[name], args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plan := strings.Join(lines, "\n")
		if strings.Contains(plan, "Seq Scan on pending_facts") || strings.Contains(plan, "Seq Scan on facts") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}

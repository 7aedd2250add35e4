//go:build linux

package crashtest_test

import (
	"context"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
)

// verifyJournal checks the numbers of the journal, and that each session that is known began
// once in it and ended once at most.
func (c *cluster) verifyJournal(f *fleet) {
	c.t.Helper()
	const pending = "SELECT count(*) FROM pending_facts"
	eventually(c.t, "all facts have numbers", func() bool { return query[int](c.t, c.dsn, pending) == 0 })
	for what, text := range map[string]string{
		"facts": `SELECT coalesce(max(number), 0) - coalesce(min(number), 1) + 1 - count(*)
			+ abs(max(number) - (SELECT number FROM log_head)) FROM facts`,
		"revocations": `SELECT coalesce(max(revocation), 0) - coalesce(min(revocation), 1) + 1 - count(revocation)
			+ abs(max(revocation) - (SELECT revocation FROM log_head)) FROM facts`,
		"revocations in the order of facts": `SELECT count(*) FROM
			(SELECT revocation, lag(revocation) OVER (ORDER BY number) AS before FROM facts WHERE revocation IS NOT NULL) n
			WHERE revocation <> before + 1`,
	} {
		if missing := query[int](c.t, c.dsn, text); missing != 0 {
			f.fail("%d numbers of %s are missing", missing, what)
		}
	}
	created, ended := c.counted(fact.Created), c.counted(fact.Ended)
	for _, a := range f.actors {
		for _, u := range a.users {
			for _, h := range append(u.sessions[:len(u.sessions):len(u.sessions)], u.ended...) {
				if n := created[h.id]; n != 1 {
					f.fail("the journal says %d times that it began: %v", n, h)
				}
				if n := ended[h.id]; n > 1 || n == 1 && h.life == live {
					f.fail("the journal says %d times that it ended: %v", n, h)
				}
			}
		}
	}
	f.check()
}

// counted counts the facts of a kind by session.
func (c *cluster) counted(kind fact.Kind) map[string]int {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.dsn)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(c.t.Context(), "SELECT sid::text, count(*) FROM facts WHERE kind = $1 GROUP BY sid", int(kind))
	if err != nil {
		c.t.Fatal(err)
	}
	counts := map[string]int{}
	var (
		id string
		n  int
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		counts[id] = n
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
	return counts
}

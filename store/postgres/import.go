package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store"
)

// Import has fn fill a database that has the schema and nothing else, or is [ErrNotEmpty]. Everything is
// one transaction: until fn has returned nil, and if anything fails, the database stays empty.
func Import(ctx context.Context, cfg Config, fn func(store.Target) error) error {
	return exclusively(ctx, cfg, pgx.ReadCommitted, func(tx pgx.Tx) error {
		var used bool
		if err := tx.QueryRow(ctx, isUsed).Scan(&used); err != nil {
			return explainCheck(err)
		}
		if used {
			return ErrNotEmpty
		}
		return fn(&filling{archive: archive{tx: tx}})
	}, func(pgx.Tx) error { return ctx.Err() })
}

// The statements that fill a database.
const (
	isUsed = `SELECT EXISTS (SELECT FROM sessions) OR EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM marks)
		OR EXISTS (SELECT FROM pending_facts) OR EXISTS (SELECT FROM facts) OR EXISTS (SELECT FROM key_set)
		OR EXISTS (SELECT FROM log_head WHERE number > 0) OR NOT EXISTS (SELECT FROM log_head)`

	importHead  = `UPDATE log_head SET number = $1, first_number = $2, revocation = $3, first_revocation = $4`
	importClock = `INSERT INTO issuer_clocks (issuer, latest) VALUES (gen_random_uuid(), $1)`
	importKeys  = `INSERT INTO key_set (id, version, document) VALUES (true, $1, $2)`

	importUsers = `INSERT INTO users (user_id, newest)
		SELECT DISTINCT ON (user_id) user_id, sid FROM (
			SELECT user_id, sid FROM sessions UNION ALL SELECT substr(scope, 3), sid FROM marks WHERE left(scope, 2) = 'u:'
		) n ORDER BY user_id, sid DESC`
)

// filling fills a database, in the transaction that reads it back.
type filling struct {
	archive
}

// Fill implements [store.Target].
func (t *filling) Fill(ctx context.Context, items iter.Seq2[store.Item, error]) error {
	next, stop := iter.Pull2(items)
	defer stop()
	in := &input{next: next}
	if in.advance(); in.err != nil {
		return in.err
	}
	for in.more && (in.item.Totals != nil || in.item.Keys != nil) {
		if err := t.put(ctx, in.item); err != nil {
			return wrap(err)
		}
		in.advance()
	}
	for _, table := range []struct {
		name    string
		columns string
		values  func(store.Item) ([]any, error)
	}{
		{"marks", `scope, sid, marked_at, until, reason, change, settled`, markValues},
		{"facts", `number, revocation, kind, at, sid, scope, key_id, what, by_client, until`, factValues},
		{"sessions", insertColumns, sessionValues},
	} {
		rows := &copied{input: in, values: table.values}
		_, err := t.tx.CopyFrom(ctx, pgx.Identifier{table.name}, names(table.columns), rows)
		if in.err != nil {
			return in.err // the server's says only that nothing more comes
		}
		if err != nil {
			return wrap(err)
		}
	}
	if in.more {
		return errOrder
	}
	return t.complete(ctx)
}

var errOrder = errors.New("postgres: the items of an archive are not in their order")

// names are the names in a list of columns.
func names(columns string) []string { return strings.Fields(strings.ReplaceAll(columns, ",", " ")) }

// put writes what is no table of its own.
func (t *filling) put(ctx context.Context, i store.Item) error {
	switch {
	case i.Totals != nil:
		return t.putTotals(ctx, i.Totals)
	case i.Keys != nil && i.Keys.Version > 0:
		return t.putKeys(ctx, i.Keys)
	}
	return nil
}

func (t *filling) putTotals(ctx context.Context, totals *store.Totals) error {
	_, err := t.tx.Exec(ctx, importHead, totals.Fact, totals.FirstFact, totals.Revocation, totals.FirstRevocation)
	if err != nil || totals.Latest.IsZero() {
		return err
	}
	_, err = t.tx.Exec(ctx, importClock, milli(totals.Latest))
	return err
}

func (t *filling) putKeys(ctx context.Context, set *keys.Stored) error {
	document := set.Document
	if document == nil {
		document = []byte{} // a column that is not null
	}
	_, err := t.tx.Exec(ctx, importKeys, set.Version, document)
	return err
}

// complete writes what follows from the rest, and lets the planner know of it.
func (t *filling) complete(ctx context.Context) error {
	if _, err := t.tx.Exec(ctx, importUsers); err != nil {
		return wrap(err)
	}
	_, err := t.tx.Exec(ctx, `ANALYZE sessions, users, marks, facts`)
	return wrap(err)
}

// input is an archive of which the next item is known.
type input struct {
	next func() (store.Item, error, bool)
	item store.Item
	more bool
	err  error
}

func (in *input) advance() {
	if in.err == nil {
		in.item, in.err, in.more = in.next()
	}
	if in.err != nil {
		in.more = false
	}
}

// copied are the next items of one kind, as rows for COPY.
type copied struct {
	*input
	values func(store.Item) ([]any, error) // nil: an item of another kind
	row    []any
	begun  bool
}

// Next implements [pgx.CopyFromSource].
func (c *copied) Next() bool {
	if c.begun {
		c.advance()
	}
	if c.begun = true; !c.more {
		return false
	}
	var err error
	if c.row, err = c.values(c.item); err != nil {
		c.err, c.more = err, false
		return false
	}
	return c.row != nil
}

// Values implements [pgx.CopyFromSource].
func (c *copied) Values() ([]any, error) { return c.row, nil }

// Err implements [pgx.CopyFromSource].
func (c *copied) Err() error { return c.err }

func markValues(i store.Item) ([]any, error) {
	if i.Mark == nil {
		return nil, nil
	}
	m := i.Mark
	if !isText(m.Scope.Name, m.Reason) {
		return nil, fmt.Errorf("%w: the mark over %s %q", errText, m.Scope.Kind, m.Scope.Name)
	}
	return []any{
		scopeText(m.Scope), uuid(m.SID), milli(m.At), milli(m.Until), m.Reason, newVersion(), m.Settled,
	}, nil
}

func factValues(i store.Item) ([]any, error) {
	if i.Fact == nil {
		return nil, nil
	}
	f, scope := i.Fact, ""
	if f.Kind == fact.Marked {
		scope = scopeText(f.Scope)
	}
	if !isText(scope, f.KeyID, f.What, f.By) {
		return nil, fmt.Errorf("%w: fact %d", errText, f.Number)
	}
	var number *int64
	if f.Revocation > 0 {
		n := int64(f.Revocation) //nolint:gosec // a number that was counted
		number = &n
	}
	return []any{
		int64(f.Number), number, int16(f.Kind), milli(f.At), uuid(f.SID), scope, f.KeyID, f.What, f.By, timestamp(f.Until), //nolint:gosec // likewise
	}, nil
}

func sessionValues(i store.Item) ([]any, error) {
	if i.Session == nil {
		return nil, nil
	}
	s := stored{Snapshot: i.Session.Snapshot, version: newVersion(), dueAt: i.Session.DueAt}
	s.Mark = revocation.Mark{}
	if !isTextOnly(&s.Snapshot) {
		return nil, fmt.Errorf("%w: session %s", errText, s.Session.ID)
	}
	return insertArgs(s), nil
}

// errText means that a text is not one for PostgreSQL.
var errText = errors.New("postgres: a text is not UTF-8, or has a NUL")

func isTextOnly(s *session.Snapshot) bool {
	r, st := &s.Session, &s.State
	return isText(r.User.ID, r.User.Email, r.User.Name, r.User.Image, r.ClientID, string(r.Claims), r.Scope, r.ACR, r.Label,
		r.UserAgent, st.RedeemedFrom.UserAgent, st.LastFrom.UserAgent, st.Reuse.From.UserAgent, string(s.End.Reason)) &&
		isText(r.Audience...) && isText(r.AMR...)
}

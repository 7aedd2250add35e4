package postgres

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// pendingFact is a fact on its way into the journal; Number and Revocation are 0, Until is set for a revocation.
type pendingFact = fact.Fact

// maxWord is how many bytes each of a fact's words can have.
const maxWord = 255

// What a caller gets for a fact that cannot be stored.
var (
	errLongFact  = errors.New("postgres: a fact's words can have at most 255 bytes each")
	errFactText  = errors.New("postgres: a fact's words must be UTF-8 without NUL")
	errFactScope = errors.New("postgres: only a fact of kind marked has a scope")
)

// checkFact refuses a fact of a caller that could not be stored. (The store makes those of
// kind marked itself.)
func checkFact(f *fact.Fact) error {
	for _, word := range []string{f.What, f.By, f.KeyID} {
		switch {
		case len(word) > maxWord:
			return errLongFact
		case !isText(word):
			return errFactText
		}
	}
	if f.Scope != (revocation.Scope{}) {
		return errFactScope
	}
	return nil
}

// insertFacts adds facts to those that have no number yet. Its arguments are those of
// [factArgs], and a statement that inserts facts under a condition can have the same.
const insertFacts = `
INSERT INTO pending_facts (id, kind, at, sid, scope, key_id, what, by_client, until)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])`

// queueFacts adds the insertion of facts to a batch. It must come after the statements whose
// locks put these facts behind those of others.
func queueFacts(b *pgx.Batch, facts []pendingFact) {
	if len(facts) > 0 {
		b.Queue(insertFacts, factArgs(facts)...)
	}
}

// factArgs are facts as the columns id, kind, at, sid, scope, key_id, what, by_client and
// until of pending_facts, an array each. The ids grow, so that the facts keep their order.
func factArgs(facts []pendingFact) []any {
	var (
		n                          = len(facts)
		ids, sids                  = make([]pgtype.UUID, n), make([]pgtype.UUID, n)
		kinds                      = make([]int16, n)
		ats, untils                = make([]time.Time, n), make([]pgtype.Timestamptz, n)
		scopes, keyIDs, whats, bys = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		id                         sid.ID
		now                        = time.Now()
	)
	for i := range facts {
		f := &facts[i]
		id = sid.Next(id, now)
		ids[i], sids[i] = uuid(id), uuid(f.SID)
		kinds[i], ats[i] = int16(f.Kind), milli(f.At)
		if f.Kind == fact.Marked {
			scopes[i] = scopeText(f.Scope)
		}
		keyIDs[i], whats[i], bys[i] = f.KeyID, f.What, f.By
		untils[i] = timestamp(f.Until)
	}
	return []any{ids, kinds, ats, sids, scopes, keyIDs, whats, bys, untils}
}

// factColumns are the columns of facts in the order of scanFact.
const factColumns = `f.number, f.revocation, f.kind, f.at, f.sid, f.scope, f.key_id, f.what, f.by_client, f.until`

// factRow is what one row of factColumns is scanned into. All of it is null in the row of a
// journal that has nothing to read.
type factRow struct {
	number, revocation           *uint64
	kind                         *uint8
	at, until                    *time.Time
	sid                          pgtype.UUID
	scope, keyID, what, byClient *string
}

func (r *factRow) targets() []any {
	return []any{&r.number, &r.revocation, &r.kind, &r.at, &r.sid, &r.scope, &r.keyID, &r.what, &r.byClient, &r.until}
}

// fact returns the fact of a row that is not null.
func (r *factRow) fact() fact.Fact {
	f := fact.Fact{
		Number: *r.number, Kind: fact.Kind(*r.kind), At: r.at.UTC(), SID: sid.ID(r.sid.Bytes),
		KeyID: *r.keyID, What: *r.what, By: *r.byClient,
	}
	if f.Kind == fact.Marked {
		f.Scope = parseScope(*r.scope)
	}
	if r.revocation != nil && r.until != nil {
		f.Revocation, f.Until = *r.revocation, r.until.UTC()
	}
	return f
}

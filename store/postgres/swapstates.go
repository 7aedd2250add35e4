package postgres

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/sid"
)

// unmarked is true for a session s that no mark covers. The last condition comes first at the server: it is evaluated
// once a statement, and without any mark the others are not.
const unmarked = `NOT EXISTS (
	SELECT FROM marks k WHERE k.scope IN ('e', 'u:' || s.user_id, 'c:' || s.client_id) AND k.sid >= s.sid
		AND (SELECT true FROM marks ORDER BY scope LIMIT 1)
)`

// swapStates is the compare-and-set of states, which is what refreshing costs: one row of one session each, none of
// whose indexed columns changes. It returns the sessions that were as the changes have been decided for.
const swapStates = `UPDATE sessions s SET
	version = c.next, generation = c.generation, branch = c.branch, key_id = c.key_id, apart = c.apart, was_due = c.was_due,
	redeemed_at = c.redeemed_at, last_seen_at = c.last_seen_at, seen_before = c.seen_before,
	redeemed_ip = c.redeemed_ip, redeemed_user_agent = c.redeemed_user_agent, last_ip = c.last_ip, last_user_agent = c.last_user_agent,
	reuse_generation = c.reuse_generation, reuse_ip = c.reuse_ip, reuse_user_agent = c.reuse_user_agent
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::smallint[], $7::smallint[], $8::boolean[],
	$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::inet[], $13::text[], $14::inet[], $15::text[],
	$16::bigint[], $17::inet[], $18::text[]
) c (sid, version, next, generation, branch, key_id, apart, was_due, redeemed_at, last_seen_at, seen_before,
	redeemed_ip, redeemed_user_agent, last_ip, last_user_agent, reuse_generation, reuse_ip, reuse_user_agent)
WHERE s.sid = c.sid AND s.version = c.version AND ` + unmarked + `
RETURNING s.sid`

// swapArgs are changes of states as an array a column.
func swapArgs(batch []*call[swap]) []any {
	n := len(batch)
	a := swapColumns{
		sids: make([][16]byte, n), versions: make([]int64, n), nexts: make([]int64, n), generations: make([]int64, n),
		branches: make([][]byte, n), keyIDs: make([]int16, n), aparts: make([]int16, n), wasDues: make([]bool, n),
		redeemedAts: make([]time.Time, n), lastSeenAts: make([]time.Time, n), seenBefores: make([]pgtype.Timestamptz, n),
		redeemedIPs: make([]netip.Addr, n), redeemedAgents: make([]pgtype.Text, n), lastIPs: make([]netip.Addr, n),
		lastAgents: make([]pgtype.Text, n), reuseGenerations: make([]pgtype.Int8, n), reuseIPs: make([]netip.Addr, n),
		reuseAgents: make([]pgtype.Text, n),
	}
	for i, c := range batch {
		a.set(i, &c.request)
	}
	return []any{
		a.sids, a.versions, a.nexts, a.generations, a.branches, a.keyIDs, a.aparts, a.wasDues, a.redeemedAts, a.lastSeenAts, a.seenBefores,
		a.redeemedIPs, a.redeemedAgents, a.lastIPs, a.lastAgents, a.reuseGenerations, a.reuseIPs, a.reuseAgents,
	}
}

type swapColumns struct {
	sids                                    [][16]byte
	versions, nexts, generations            []int64
	branches                                [][]byte
	keyIDs, aparts                          []int16
	wasDues                                 []bool
	redeemedAts, lastSeenAts                []time.Time
	seenBefores                             []pgtype.Timestamptz
	redeemedIPs, lastIPs, reuseIPs          []netip.Addr
	redeemedAgents, lastAgents, reuseAgents []pgtype.Text
	reuseGenerations                        []pgtype.Int8
}

func (a *swapColumns) set(i int, w *swap) {
	r, st := &w.next.Session, &w.next.State
	a.sids[i], a.versions[i], a.nexts[i] = r.ID, w.version, w.next.version
	a.generations[i], a.branches[i], a.keyIDs[i] = int64(st.Generation), st.Branch[:], int16(st.KeyID)
	a.aparts[i], a.wasDues[i] = int16(st.Apart), st.WasDue
	a.redeemedAts[i], a.lastSeenAts[i], a.seenBefores[i] = st.RedeemedAt, st.LastSeenAt, timestamp(st.SeenBefore)
	a.redeemedIPs[i], a.redeemedAgents[i] = st.RedeemedFrom.IP, agent(st.RedeemedFrom, r)
	a.lastIPs[i], a.lastAgents[i] = st.LastFrom.IP, agent(st.LastFrom, r)
	a.reuseGenerations[i], a.reuseIPs[i] = reuseGeneration(st), st.Reuse.From.IP
	a.reuseAgents[i] = text(st.Reuse.From.UserAgent)
}

// trySwapStates makes swaps of states with one statement.
func (db *DB) trySwapStates(ctx context.Context, batch []*call[swap]) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, swapStates, swapArgs(batch)...)
	if err != nil {
		return err
	}
	won, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return err
	}
	for _, id := range won {
		at, ok := slices.BinarySearchFunc(batch, sid.ID(id), func(c *call[swap], id sid.ID) int {
			return c.request.next.Session.ID.Compare(id)
		})
		if ok {
			batch[at].request.won = true
		}
	}
	return nil
}

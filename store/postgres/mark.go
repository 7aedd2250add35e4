package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/fact"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

const (
	// maxCounted bounds the sessions that a mark locks and counts in its transaction. Those of a user with more are
	// counted just before: then some that end or begin meanwhile are counted wrongly.
	maxCounted = 1000
	// countPage is how many sessions are read at once to count them.
	countPage = 1000
)

const (
	newestSession = `SELECT sid FROM sessions ORDER BY sid DESC LIMIT 1`
	// newVersions makes those fail who have decided on a change before.
	newVersions = `UPDATE sessions s SET version = c.version FROM unnest($1::uuid[], $2::bigint[]) AS c (sid, version) WHERE s.sid = c.sid`
	newerThan   = `SELECT sid FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND sid > $2 ORDER BY sid LIMIT $3`

	// putMark sets the mark of a scope that has none. A mark that is there stays, at least until $4.
	putMark = `INSERT INTO marks AS m (scope, sid, marked_at, until, reason, change, settled) VALUES ($1, $2, $3, $4, $5, $6, false)
		ON CONFLICT (scope) DO UPDATE SET until = greatest(m.until, EXCLUDED.until), change = EXCLUDED.change`
	// riseMark replaces a mark by one that covers more, or one that was to be dropped.
	riseMark = `UPDATE marks SET sid = $2, marked_at = $3, reason = $4, settled = false, set_at = clock_timestamp(),
		passed_at = NULL, retired = false WHERE scope = $1 AND (sid < $2 OR sid = $2 AND retired)`
	markBound = `SELECT sid FROM marks WHERE scope = $1`
	readMark  = `SELECT sid, marked_at, until, reason FROM marks WHERE scope = $1`
	touchMark = `UPDATE marks SET change = change WHERE scope = $1 AND change = $2`
)

var (
	errScope     = errors.New("postgres: a mark is over a user, a client or everything")
	errScopeName = errors.New("postgres: the name of a scope has at most 255 bytes")
	errSpare     = errors.New("postgres: only a mark over the user of its holder can spare it")
	errTooMany   = errors.New("postgres: too many sessions to count in one transaction")
)

// Mark implements [session.Store].
func (db *DB) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	if err := checkMark(&m); err != nil {
		return session.Marked{}, err
	}
	k := &marking{db: db, MarkRequest: &m, change: newVersion(), counted: -1}
	err := k.set(ctx)
	if errors.Is(err, errTooMany) {
		if k.counted, err = db.countLiveOf(ctx, &m); err == nil {
			err = k.set(ctx)
		}
	}
	if err != nil {
		return session.Marked{}, err
	}
	db.wrote()
	for _, id := range k.touched {
		db.recent.Remove(id)
	}
	return k.marked, nil
}

func checkMark(m *session.MarkRequest) error {
	switch {
	case m.Scope.Kind != revocation.KindUser && m.Scope.Kind != revocation.KindClient && m.Scope.Kind != revocation.KindEverything:
		return errScope
	case len(m.Scope.Name) > maxUserID:
		return errScopeName
	case len(m.Reason) > maxWord || len(m.By) > maxWord:
		return errLongFact
	case m.SpareHolder && (m.Holder.IsZero() || m.Scope.Kind != revocation.KindUser):
		return errSpare
	case m.At.IsZero():
		return errEndTime
	}
	return nil
}

// marking is a mark that is about to be set.
type marking struct {
	*session.MarkRequest

	db     *DB
	change int64 // what the row has when it was written
	// counted is how many sessions the mark covers, if they were counted before; else -1.
	counted int

	marked  session.Marked
	touched []sid.ID // the sessions that it has changed
}

// set sets the mark, unless an attempt whose connection was lost has set it.
func (k *marking) set(ctx context.Context) error {
	tried := false
	return k.db.inTx(ctx, func(tx pgx.Tx) error {
		if tried {
			if done, err := k.isSet(ctx, tx); done || err != nil {
				return err
			}
		}
		tried, k.marked, k.touched = true, session.Marked{}, nil
		if k.Scope.Kind == revocation.KindUser {
			return k.setForUser(ctx, tx)
		}
		return k.setForMany(ctx, tx)
	}, nil)
}

// isSet reports whether the mark is there. It waits for an attempt that is under way still, and writes, so that what it
// has seen is as durable as its own commit.
func (k *marking) isSet(ctx context.Context, tx pgx.Tx) (bool, error) {
	if k.Scope.Kind == revocation.KindUser {
		if err := lockUser(ctx, tx, k.Scope.Name); err != nil {
			return false, err
		}
	}
	tag, err := tx.Exec(ctx, touchMark, scopeText(k.Scope), k.change)
	return tag.RowsAffected() > 0, err
}

// setForUser sets a mark over a user. Sign-ins of the user are before or after it, because both lock the user's row, and
// so are changes of the user's sessions.
func (k *marking) setForUser(ctx context.Context, tx pgx.Tx) error {
	newest, ids, err := k.lockUser(ctx, tx)
	if err != nil {
		return err
	}
	found, err := selectAll(ctx, tx, ids)
	if err != nil {
		return err
	}
	if err := k.allow(found); err != nil {
		return err
	}
	var ends endings
	for _, id := range ids {
		if s := found[id]; s != nil {
			k.count(s, &ends)
		}
	}
	if k.counted >= 0 {
		k.marked.Ended = k.counted
		if err := lockAllClocks(ctx, tx); err != nil {
			return err
		}
	}
	bound, err := k.bound(ctx, tx, newest)
	if err != nil {
		return err
	}
	var b pgx.Batch
	ends.queue(&b)
	k.touch(&b, found, ends.ids)
	b.Queue(raiseUser, k.Scope.Name, uuid(bound))
	return k.write(ctx, tx, &b, bound, ends.facts)
}

// lockUser locks the user's row and sessions, and the holder.
func (k *marking) lockUser(ctx context.Context, tx pgx.Tx) (newest sid.ID, ids []sid.ID, err error) {
	var holder []sid.ID
	if !k.Holder.IsZero() {
		holder = append(holder, k.Holder)
	}
	most := maxCounted + 2 // the holder may be one of them, or not
	if k.counted >= 0 {
		most = 0
	}
	if newest, err = newestOf(ctx, tx, k.Scope.Name); err != nil {
		return newest, nil, err
	}
	if k.counted >= 0 && k.SpareHolder {
		if holder, err = k.newerThanHolder(ctx, tx); err != nil {
			return newest, nil, err
		}
	}
	ids, err = scanIDs(tx.Query(ctx, lockUnended, k.Scope.Name, most, uuids(holder)))
	if err == nil && k.counted < 0 && len(ids) > maxCounted+1 {
		err = errTooMany
	}
	return newest, ids, err
}

// newerThanHolder lists the holder and the sessions that are newer, which have to end one by one.
func (k *marking) newerThanHolder(ctx context.Context, tx pgx.Tx) ([]sid.ID, error) {
	ids, err := scanIDs(tx.Query(ctx, newerThan, k.Scope.Name, uuid(k.Holder), math.MaxInt32))
	return append(ids, k.Holder), err
}

// allow asks whether the holder may set the mark.
func (k *marking) allow(found map[sid.ID]*stored) error {
	if k.Holder.IsZero() {
		return nil
	}
	holder, ok := found[k.Holder]
	if !ok {
		return session.ErrNotFound
	}
	if k.Allow == nil {
		return nil
	}
	return k.Allow(holder.Snapshot)
}

// count counts a session, and ends it if the mark spares its holder and the session is newer.
func (k *marking) count(s *stored, ends *endings) {
	id := s.Session.ID
	switch {
	case s.Session.User.ID != k.Scope.Name || k.SpareHolder && id == k.Holder || !isLive(s.Snapshot, k.Judge):
		return
	case k.SpareHolder && id.Compare(k.Holder) > 0:
		ends.add(&s.Snapshot, session.Ending{End: session.End{At: k.At, Reason: k.Reason}, By: k.By, Notice: k.Notice})
	}
	k.marked.Ended++
}

// touch gives sessions that the mark may cover new versions, so that nobody can write what was decided without the mark.
func (k *marking) touch(b *pgx.Batch, found map[sid.ID]*stored, ended []pgtype.UUID) {
	var (
		ids      []sid.ID
		versions []int64
	)
	for id := range found {
		k.touched = append(k.touched, id)
		if k.SpareHolder && id == k.Holder || slices.Contains(ended, uuid(id)) {
			continue
		}
		ids, versions = append(ids, id), append(versions, newVersion())
	}
	if len(ids) > 0 {
		b.Queue(newVersions, uuids(ids), versions)
	}
}

// bound is the newest identifier that a mark over a user is to cover.
func (k *marking) bound(ctx context.Context, tx pgx.Tx, newest sid.ID) (sid.ID, error) {
	if k.SpareHolder {
		return k.Holder.Before(), nil
	}
	marked, err := scanIDs(tx.Query(ctx, markBound, scopeText(k.Scope)))
	if bound := greatest(append(marked, newest)...); !bound.IsZero() || err != nil {
		return bound, err
	}
	return sid.Next(sid.ID{}, k.At), nil // there is no session to cover, but verifiers expect an identifier
}

// setForMany sets a mark over a client or everything. A sign-in at the same time may be on either side of it.
func (k *marking) setForMany(ctx context.Context, tx pgx.Tx) error {
	if !k.Holder.IsZero() {
		ids := []sid.ID{k.Holder}
		if _, err := lockVersions(ctx, tx, ids); err != nil {
			return err
		}
		found, err := selectAll(ctx, tx, ids)
		if err != nil {
			return err
		}
		if err := k.allow(found); err != nil {
			return err
		}
	}
	if err := lockAllClocks(ctx, tx); err != nil {
		return err
	}
	newest, err := scanIDs(tx.Query(ctx, newestSession))
	if err != nil {
		return err
	}
	bound, err := k.bound(ctx, tx, greatest(newest...))
	if err != nil {
		return err
	}
	return k.write(ctx, tx, &pgx.Batch{}, bound, nil)
}

// write writes the mark and the facts.
func (k *marking) write(ctx context.Context, tx pgx.Tx, b *pgx.Batch, bound sid.ID, facts []pendingFact) error {
	f, err := markFact(ctx, tx, k.MarkRequest, bound)
	if err != nil {
		return err
	}
	queueMark(b, &f, k.change, &k.marked.Mark)
	queueFacts(b, append([]pendingFact{f}, facts...))
	return tx.SendBatch(ctx, b).Close()
}

// markFact is what the journal says of a mark. It must be called with the locks held that keep out what the mark covers.
func markFact(ctx context.Context, tx pgx.Tx, m *session.MarkRequest, bound sid.ID) (pendingFact, error) {
	until, err := untilOfMark(ctx, tx, m.At, m.Notice)
	return fact.Fact{
		Kind: fact.Marked, At: milli(m.At), SID: bound, Scope: m.Scope, What: string(m.Reason), By: m.By, Until: until,
	}, err
}

// queueMark adds the writes of a mark to a batch, and reads the mark that the scope has afterwards, unless mark is nil.
// The bound of a mark never gets smaller: if the scope has a mark with the same or a
// greater bound, that one stays, until the later of the two times.
func queueMark(b *pgx.Batch, f *pendingFact, change int64, mark *revocation.Mark) {
	scope, until := scopeText(f.Scope), f.Until
	if until.IsZero() {
		until = f.At
	}
	b.Queue(putMark, scope, uuid(f.SID), f.At, until, f.What, change)
	b.Queue(riseMark, scope, uuid(f.SID), f.At, f.What)
	if mark == nil {
		return
	}
	b.Queue(readMark, scope).QueryRow(func(row pgx.Row) error {
		var id pgtype.UUID
		m := revocation.Mark{Scope: f.Scope}
		err := row.Scan(&id, &m.At, &m.Until, &m.Reason)
		m.SID, m.At, m.Until = id.Bytes, m.At.UTC(), m.Until.UTC()
		*mark = m
		return err
	})
}

// countLiveOf counts the live sessions of a user that a mark is going to end, however many they are.
func (db *DB) countLiveOf(ctx context.Context, m *session.MarkRequest) (n int, err error) {
	for before := lastID(); ; {
		page, err := db.unendedPage(ctx, m.Scope.Name, before)
		if err != nil {
			return 0, fmt.Errorf("counting the user's sessions: %w", err)
		}
		for i := range page {
			s := &page[i]
			before = s.Session.ID
			if isLive(s.Snapshot, m.Judge) && (!m.SpareHolder || before != m.Holder) {
				n++
			}
		}
		if len(page) < countPage {
			return n, nil
		}
	}
}

func (db *DB) unendedPage(ctx context.Context, userID string, before sid.ID) ([]stored, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	work, cancel := db.bounded(ctx)
	defer cancel()
	page, err := unended(work, conn, userID, before, countPage)
	return page, db.failed(ctx, err)
}

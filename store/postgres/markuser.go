package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/session"
	"issuer.example/sid"
)

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

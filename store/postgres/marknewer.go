package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"issuer.example/sid"
)

// newerAtOnce is how many sessions that are newer than the holder end in one transaction.
const newerAtOnce = 500

// endNewer ends the sessions that are newer than the holder, which a mark that spares it does not cover. They can be more
// than one transaction has time for. What has ended stays so if the mark itself then fails: whoever repeats it goes on there.
func (k *marking) endNewer(ctx context.Context) error {
	k.ended = k.Holder
	for more := true; more; {
		var ids []sid.ID
		err := k.db.inUserTx(ctx, k.Scope.Name, func(tx pgx.Tx) (err error) {
			ids, err = k.endPage(ctx, tx)
			return err
		}, nil)
		if err != nil {
			return err
		}
		k.db.wrote()
		for _, id := range ids {
			k.db.recent.Remove(id)
			k.ended = greatest(k.ended, id)
		}
		more = len(ids) == newerAtOnce
	}
	return nil
}

// endPage ends the next of them, and returns which it has looked at.
func (k *marking) endPage(ctx context.Context, tx pgx.Tx) ([]sid.ID, error) {
	if err := lockUser(ctx, tx, k.Scope.Name); err != nil {
		return nil, err
	}
	ids, err := k.newer(ctx, tx, newerAtOnce)
	if err != nil {
		return nil, err
	}
	found, err := k.lockAll(ctx, tx, append([]sid.ID{k.Holder}, ids...))
	if err != nil {
		return nil, err
	}
	var (
		ends endings
		b    pgx.Batch
	)
	for _, id := range ids {
		if s := found[id]; s != nil {
			k.count(s, &ends)
		}
	}
	ends.queue(&b)
	queueFacts(&b, ends.facts)
	return ids, tx.SendBatch(ctx, &b).Close()
}

// lockAll locks the holder and other sessions, and reads them if the holder may set the mark.
func (k *marking) lockAll(ctx context.Context, tx pgx.Tx, ids []sid.ID) (map[sid.ID]*stored, error) {
	if _, err := lockVersions(ctx, tx, ids); err != nil {
		return nil, err
	}
	found, err := selectAll(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	return found, k.allow(found)
}

// newerThanHolder lists the holder and the newer sessions that are left.
func (k *marking) newerThanHolder(ctx context.Context, tx pgx.Tx) ([]sid.ID, error) {
	ids, err := k.newer(ctx, tx, math.MaxInt32)
	return append(ids, k.Holder), err
}

func (k *marking) newer(ctx context.Context, tx pgx.Tx, most int) ([]sid.ID, error) {
	return scanIDs(tx.Query(ctx, newerThan, k.Scope.Name, uuid(k.ended), most))
}

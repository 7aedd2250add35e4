package postgres

import (
	"context"
	"log/slog"
	"time"
)

const (
	// liveCounted is up to how many sessions Live counts.
	liveCounted = 20_000
	// liveTimeout bounds how long Live takes.
	liveTimeout = time.Second
)

// countLive counts the sessions without a recorded end, up to a limit. The order makes it walk the index of them.
const countLive = `SELECT count(*) FROM (
	SELECT FROM sessions WHERE ended_at IS NULL ORDER BY user_id, sid LIMIT $1
) s`

// estimateLive is what the planner takes for the number of sessions without a recorded end: the entries in the index of
// them, of all partitions, as the server has counted them last.
const estimateLive = `SELECT COALESCE(sum(GREATEST(reltuples, 0)), 0)::bigint FROM pg_class WHERE relkind = 'i' AND oid IN (
	SELECT 'sessions_live_by_user'::regclass UNION SELECT relid FROM pg_partition_tree('sessions_live_by_user')
)`

// Live implements store.Status. While the database does not answer, it is what it was when it did.
func (db *DB) Live() int64 {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(db.life), liveTimeout)
	defer cancel()
	n, err := db.countLive(ctx)
	if err != nil {
		db.cfg.Logger.Debug("the live sessions could not be counted", slog.Any("error", err))
		return db.live.Load()
	}
	db.live.Store(n)
	return n
}

func (db *DB) countLive(ctx context.Context) (n int64, err error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	if err := conn.QueryRow(ctx, countLive, liveCounted+1).Scan(&n); err != nil || n <= liveCounted {
		return n, err
	}
	var estimate int64
	err = conn.QueryRow(ctx, estimateLive).Scan(&estimate)
	return max(n, estimate), err
}

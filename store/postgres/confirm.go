package postgres

import (
	"context"

	"issuer.example/sid"
)

// touchSessions writes sessions as they are and returns their versions. It waits for transactions that have written
// them; and as it commits after those, what it returns is as durable as its own commit, also at a synchronous standby.
// Neither is true of a read.
const touchSessions = `UPDATE sessions SET version = version WHERE sid = ANY($1) RETURNING sid, version`

// confirm returns the versions that sessions durably have, as far as there are any: what is left of a commit whose
// connection was lost. It tries again while the context lasts and the server may come back.
func (db *DB) confirm(ctx context.Context, ids []sid.ID) (versions map[sid.ID]int64, err error) {
	for attempt := 0; ; attempt++ {
		if versions, err = db.tryConfirm(ctx, ids); err == nil || !isUnavailable(err) || pause(ctx, ctx, attempt) != nil {
			return versions, err
		}
	}
}

func (db *DB) tryConfirm(ctx context.Context, ids []sid.ID) (map[sid.ID]int64, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return scanVersions(conn.Query(ctx, touchSessions, uuids(ids)))
}

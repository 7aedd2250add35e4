package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/session"
	"issuer.example/sid"
)

// countPage is how many sessions are read at once to count them.
const countPage = 1000

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

func (db *DB) unendedPage(ctx context.Context, userID string, before sid.ID) (page []stored, err error) {
	err = db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) (err error) {
		page, err = unended(ctx, conn, userID, before, countPage)
		return err
	})
	return page, err
}

package postgres

import (
	"bytes"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"issuer.example/fact"
	"issuer.example/keys"
)

var _ keys.Store = (*DB)(nil)

const (
	loadKeys   = `SELECT version, document FROM key_set`
	firstKeys  = `INSERT INTO key_set (id, version, document) VALUES (true, 1, $1) ON CONFLICT DO NOTHING`
	changeKeys = `UPDATE key_set SET version = version + 1, document = $1 WHERE version = $2`
)

// LoadKeys implements [keys.Store].
func (db *DB) LoadKeys(ctx context.Context) (keys.Stored, error) {
	var (
		version  uint64
		document []byte
	)
	err := db.withConn(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, loadKeys).Scan(&version, &document)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return keys.Stored{}, nil
	}
	if err != nil {
		return keys.Stored{}, err
	}
	return keys.Stored{Version: version, Document: document}, nil
}

// SwapKeys implements [keys.Store].
func (db *DB) SwapKeys(ctx context.Context, from uint64, document []byte, changes []keys.Change) error {
	steps := make([]pendingFact, len(changes))
	for i, c := range changes {
		steps[i] = fact.Fact{Kind: fact.KeyChanged, At: c.At, KeyID: c.KeyID, What: c.Step(), By: c.By}
		if err := checkFact(&steps[i]); err != nil {
			return err
		}
	}
	if document == nil {
		document = []byte{} // a column that is not null
	}
	err := db.inTx(ctx, func(tx pgx.Tx) error {
		return swapKeys(ctx, tx, from, document, steps)
	}, func(ctx context.Context) (bool, error) {
		stored, err := db.LoadKeys(ctx)
		return err == nil && stored.Version == from+1 && bytes.Equal(stored.Document, document), err
	})
	if err == nil {
		db.wrote()
	}
	return err
}

func swapKeys(ctx context.Context, tx pgx.Tx, from uint64, document []byte, steps []pendingFact) error {
	statement, args := changeKeys, []any{document, from}
	if from == 0 {
		statement, args = firstKeys, args[:1]
	}
	swapped, err := tx.Exec(ctx, statement, args...)
	if err != nil {
		return err
	}
	if swapped.RowsAffected() == 0 {
		return keys.ErrConflict
	}
	var facts pgx.Batch
	queueFacts(&facts, steps)
	return tx.SendBatch(ctx, &facts).Close()
}

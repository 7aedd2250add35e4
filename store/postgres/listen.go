package postgres

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// channel is where issuers tell each other of new facts. The payload is the newest number.
const channel = "issuer_facts"

const (
	listen = `LISTEN ` + channel

	// silence is how long nothing may come before the connection is tried.
	silence = 5 * time.Second
	// answerTime is how long the server may take to answer then.
	answerTime = 5 * time.Second

	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// keepListening listens until the store is closed, on one connection after another.
func (db *DB) keepListening(ctx context.Context) {
	backoff := firstBackoff
	for ctx.Err() == nil {
		err := db.listen(ctx)
		if db.journal.listening.Swap(false) {
			backoff = firstBackoff
		}
		if ctx.Err() != nil {
			return
		}
		db.cfg.Logger.WarnContext(ctx, "notifications do not come; the journal is polled until they do", slog.Any("error", err))
		sleep(ctx, backoff/2+rand.N(backoff/2)) //nolint:gosec // no secret
		backoff = min(2*backoff, lastBackoff)
	}
}

// listen listens on a connection of its own until that fails.
func (db *DB) listen(ctx context.Context) error {
	conn, err := db.connectListener(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	db.journal.listening.Store(true)
	db.journal.watchers.wake() // of what was told while nobody listened
	db.wrote()
	for {
		note, err := nextNotification(ctx, conn)
		if err != nil {
			return err
		}
		if note == nil {
			continue
		}
		if head, err := strconv.ParseUint(note.Payload, 10, 64); err == nil {
			db.journal.saw(head)
		} else {
			db.journal.watchers.wake()
		}
	}
}

// nextNotification waits for a notification, and returns nil if none came but the connection works.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	note, err := conn.WaitForNotification(waiting)
	if err == nil || ctx.Err() != nil || waiting.Err() == nil || conn.IsClosed() {
		return note, err
	}
	answering, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return nil, conn.Ping(answering)
}

// connectListener makes the connection that listens.
func (db *DB) connectListener(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := connectSession(ctx, db.cfg)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, listen); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, nil
}

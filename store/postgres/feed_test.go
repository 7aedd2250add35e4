package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/secret"
	"issuer.example/session"
)

// feedIssuer is an issuer as far as verifiers notice.
type feedIssuer struct {
	db   *DB
	keys *keys.Manager
	hub  *feed.Hub
}

// startIssuers starts issuers on a database of their own.
func startIssuers(t *testing.T, n int, cfg Config) []*feedIssuer {
	t.Helper()
	cfg.DSN, cfg.MaxConnections = newDatabase(t), 4
	key, err := secret.Parse([]byte(strings.Repeat("feed-secret.", 4)))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]*feedIssuer, n)
	for i := range all {
		f := &feedIssuer{db: openAt(t, cfg)}
		if f.keys, err = keys.Open(t.Context(), keys.Config{Store: f.db, Secrets: []secret.Secret{key}}); err != nil {
			t.Fatal(err)
		}
		f.hub, err = feed.New(feed.Config{
			Issuer: "https://id.example.com", Log: f.db, Signer: f.keys, Board: f.db, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- f.hub.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		all[i] = f
	}
	return all
}

// await waits until a condition holds.
func awaitFeed(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the condition did not hold within 30 s")
		}
	}
}

// revoke revokes a user's sessions.
func (f *feedIssuer) revoke(t *testing.T, user string) {
	t.Helper()
	now := time.Now()
	_, err := f.db.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.UserScope(user), At: now, Reason: session.ReasonAdminRevoked,
		Notice: session.Notice{Issued: now, Life: time.Minute}, Judge: func(session.Snapshot) session.Verdict { return session.Verdict{} },
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readTo reads the stream until it has sent the revocation of a number.
func (f *feedIssuer) readTo(t *testing.T, r *feed.Reader, number string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		frames, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("before revocation %s: %v", number, err)
		}
		for _, frame := range frames {
			if strings.Contains(string(frame), "id: "+number+"\n") {
				return
			}
		}
	}
}

// What was revoked at one issuer is in the stream of the other, whichever way it learns of it, and also if the
// one that was asked dies before its facts have numbers.
func TestFeedOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	for _, notify := range []Notify{NotifyListen, NotifyPoll} {
		t.Run(string(notify), func(t *testing.T) {
			t.Parallel()
			issuers := startIssuers(t, 2, Config{Notify: notify, PollInterval: 100 * time.Millisecond})
			a, b := issuers[0], issuers[1]
			r, err := b.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet"})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close(feed.EndClient)
			a.revoke(t, "u1")
			b.readTo(t, r, "1")
			b.revoke(t, "u2")
			b.readTo(t, r, "2")
			// As if the issuer had died at once: nobody has been told of what it leaves, which has no number.
			const left = `INSERT INTO pending_facts (id, kind, at, sid, scope, key_id, what, by_client, until)
				SELECT gen_random_uuid(), kind, at, sid, scope, key_id, what, by_client, until FROM facts WHERE revocation = 1`
			if _, err := connect(t, a.db.cfg.DSN).Exec(t.Context(), left); err != nil {
				t.Fatal(err)
			}
			b.readTo(t, r, "3")
		})
	}
}

// A resume point that comes from another issuer can be newer than what this one has read. It is gone only if
// the database does not have it either.
func TestResumePointOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	issuers := startIssuers(t, 2, Config{Notify: NotifyPoll, PollInterval: time.Hour})
	a, b := issuers[0], issuers[1]
	for number, user := range []string{"u1", "u2", "u3"} {
		a.revoke(t, user)
		after := uint64(number + 1)
		r, err := b.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: after})
		if err != nil {
			t.Fatalf("after %d: %v", after, err)
		}
		r.Close(feed.EndClient)
		if _, err := b.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", After: after + 1}); !errors.Is(err, feed.ErrGone) {
			t.Errorf("after %d: %v, want ErrGone", after+1, err)
		}
	}
}

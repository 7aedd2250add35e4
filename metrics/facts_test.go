package metrics_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"issuer.example/fact"
	"issuer.example/metrics"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/store/bolt"
)

// journal is a store that has sessions begin and end.
type journal struct {
	*bolt.DB

	now time.Time
}

func newJournal(t *testing.T) *journal {
	t.Helper()
	db, err := bolt.Open(t.Context(), bolt.Config{Path: filepath.Join(t.TempDir(), "issuer.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &journal{DB: db, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

// create begins n sessions.
func (j *journal) create(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		s := session.Session{
			User: session.User{ID: fmt.Sprint("u", i)}, CreatedAt: j.now, AuthTime: j.now,
			ExpiresAt: j.now.Add(time.Hour), IdleTimeout: time.Hour,
		}
		st := session.State{LastSeenAt: j.now}
		st.RedeemedAt = j.now
		if _, err := j.Create(t.Context(), session.CreateRequest{Session: s, State: st}); err != nil {
			t.Fatal(err)
		}
	}
}

// end ends all sessions there are.
func (j *journal) end(t *testing.T, reason session.Reason) {
	t.Helper()
	_, err := j.Mark(t.Context(), session.MarkRequest{
		Scope: revocation.EverythingScope(), At: j.now, Reason: reason,
		Judge: func(session.Snapshot) session.Verdict { return session.Verdict{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		swept, err := j.Sweep(t.Context(), session.SweepRequest{Now: j.now, Judge: func(s session.Snapshot) session.Verdict {
			return session.Verdict{End: session.End{At: s.Mark.At, Reason: session.Reason(s.Mark.Reason)}, Again: j.now.Add(time.Hour)}
		}})
		if err != nil {
			t.Fatal(err)
		}
		more = swept.More
	}
}

func wantLines(t *testing.T, m *metrics.Metrics, lines ...string) {
	t.Helper()
	text := scrape(t, m)
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

// TestFactsAreCounted: what is in the journal at the start is not counted, what is added is.
func TestFactsAreCounted(t *testing.T) {
	j, m := newJournal(t), metrics.New(metrics.Config{})
	j.create(t, 3)
	follower, err := fact.Follow(t.Context(), fact.FollowConfig{Journal: j, Consumers: []fact.Consumer{m}})
	if err != nil {
		t.Fatal(err)
	}
	j.create(t, 600) // more than are read at once
	j.end(t, session.ReasonAdminRevoked)
	for range 2 { // nothing is counted twice
		if err := follower.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantLines(t, m, "issuer_sessions_minted_total 600", `issuer_sessions_ended_total{reason="revoked_by_admin"} 603`,
		"issuer_facts_missed_total 0")
}

// TestFactsAreFollowed: Run counts what is added while it runs, and after an error.
func TestFactsAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, m := newJournal(t), metrics.New(metrics.Config{})
		failing := &failingJournal{journal: j, fail: true}
		follower, err := fact.Follow(t.Context(), fact.FollowConfig{Journal: failing, Consumers: []fact.Consumer{m}})
		if err != nil {
			t.Fatal(err)
		}
		j.create(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- follower.Run(ctx) }()
		synctest.Wait()
		j.create(t, 2)
		time.Sleep(2 * time.Second) // of the bubble's clock
		synctest.Wait()
		wantLines(t, m, "issuer_sessions_minted_total 3")
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// missing counts how often facts were missed.
type missing struct{ n int }

func (*missing) TakeFact(*fact.Fact) {}

func (m *missing) MissFacts(uint64) { m.n++ }

// TestJournalGoesBack: what is added to a journal that has lost its newest facts is counted.
func TestJournalGoesBack(t *testing.T) {
	older, j, m, missed := newJournal(t), &replacedJournal{newJournal(t)}, metrics.New(metrics.Config{}), &missing{}
	older.create(t, 2)
	j.create(t, 5)
	follower, err := fact.Follow(t.Context(), fact.FollowConfig{Journal: j, Consumers: []fact.Consumer{m, missed}})
	if err != nil {
		t.Fatal(err)
	}
	read := func() {
		t.Helper()
		if err := follower.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if missed.n != 0 {
		t.Error("facts were missed before anything was lost")
	}
	j.journal = older
	read()
	older.create(t, 3)
	read()
	if missed.n != 1 {
		t.Errorf("the consumers were told %d times", missed.n)
	}
	wantLines(t, m, "issuer_sessions_minted_total 3", "issuer_facts_missed_total 0")
}

// replacedJournal is a journal that can be replaced by another one.
type replacedJournal struct{ *journal }

// failingJournal is a journal whose first reading fails.
type failingJournal struct {
	*journal

	fail bool
}

func (j *failingJournal) Facts(ctx context.Context, after uint64, limit int) ([]fact.Fact, uint64, error) {
	if j.fail {
		j.fail = false
		return nil, 0, session.ErrUnavailable
	}
	return j.journal.Facts(ctx, after, limit)
}

// TestMissedFactsAreCounted: facts that were trimmed before they could be counted are noted.
func TestMissedFactsAreCounted(t *testing.T) {
	j, m := newJournal(t), metrics.New(metrics.Config{})
	trimmed := &trimmedJournal{journal: j}
	follower, err := fact.Follow(t.Context(), fact.FollowConfig{Journal: trimmed, Consumers: []fact.Consumer{m}})
	if err != nil {
		t.Fatal(err)
	}
	j.create(t, 5)
	trimmed.first = 4
	if err := follower.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantLines(t, m, "issuer_facts_missed_total 3", "issuer_sessions_minted_total 2")
}

// trimmedJournal is a journal whose facts before first were removed.
type trimmedJournal struct {
	*journal

	first uint64
}

func (j *trimmedJournal) Facts(ctx context.Context, after uint64, limit int) ([]fact.Fact, uint64, error) {
	facts, first, err := j.journal.Facts(ctx, max(after+1, j.first)-1, limit)
	return facts, max(first, j.first), err
}

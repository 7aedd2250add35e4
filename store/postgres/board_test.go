package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"issuer.example/feed"
	"issuer.example/session"
)

// What one issuer posts the others read, with its age by the clock of the database.
func TestBoard(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	a, b := openAt(t, Config{DSN: dsn, MaxConnections: 2}), openAt(t, Config{DSN: dsn, MaxConnections: 2})
	for _, document := range []string{`{"streams":1}`, `{"streams":2}`} {
		if err := a.Post(t.Context(), "a", []byte(document), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	large := bytes.Repeat([]byte("x"), 1<<20)
	if err := b.Post(t.Context(), "b", large, time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, db := range []*DB{a, b} {
		list, err := db.Postings(t.Context())
		if err != nil || len(list) != 2 || list[0].Issuer != "b" || list[1].Issuer != "a" ||
			!bytes.Equal(list[0].Document, large) || string(list[1].Document) != `{"streams":2}` {
			t.Errorf("%d postings: %v", len(list), err)
		}
		for _, p := range list {
			if p.Age > time.Minute {
				t.Errorf("%s is %v old", p.Issuer, p.Age)
			}
		}
	}
}

// Postings that are too old are removed by whoever posts, and no more are read than there can be issuers.
func TestBoardIsBounded(t *testing.T) {
	t.Parallel()
	dsn := newDatabase(t)
	db, conn := openAt(t, Config{DSN: dsn, MaxConnections: 2}), connect(t, dsn)
	fill := func(from, n int, age string) {
		_, err := conn.Exec(t.Context(), `INSERT INTO verifier_postings
			SELECT 'i' || n, clock_timestamp() - $3::text::interval, '{}' FROM generate_series($1::int, $1::int + $2::int - 1) n`, from, n, age)
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(0, 150, "2 hours")
	fill(1000, 300, "20 minutes")
	for range 2 { // 100 at a time
		if err := db.Post(t.Context(), "mine", []byte(`{}`), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int](t, conn, `SELECT count(*) FROM verifier_postings`); n != 301 {
		t.Errorf("%d postings are left, want 301", n)
	}
	list, err := db.Postings(t.Context())
	if err != nil || len(list) != maxPostings || list[0].Issuer != "mine" {
		t.Errorf("%d postings: %v", len(list), err)
	}
	if age := list[len(list)-1].Age; age < 19*time.Minute || age > 21*time.Minute {
		t.Errorf("the oldest is %v old", age)
	}
}

// A board that has no server says so.
func TestBoardWithoutServer(t *testing.T) {
	t.Parallel()
	db := openAt(t, Config{DSN: newDatabase(t), MaxConnections: 2})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Post(ctx, "a", []byte(`{}`), time.Hour); !errors.Is(err, context.Canceled) && !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Postings(t.Context()); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("a closed store: %v", err)
	}
}

// Two issuers that share a database show each other their verifiers.
func TestVerifiersOverTheDatabase(t *testing.T) {
	t.Parallel()
	issuers := startIssuers(t, 2, Config{})
	for i, at := range issuers {
		at.hub.Report("fleet", fmt.Sprint("v", i), uint64(i+1), time.Millisecond)
	}
	for _, at := range issuers {
		awaitFeed(t, func() bool {
			all, err := at.hub.Followers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return slices.EqualFunc(all.Verifiers, []string{"v0", "v1"}, func(v feed.Verifier, name string) bool { return v.Name == name })
		})
	}
}

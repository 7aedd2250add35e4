package move_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"issuer.example/internal/rounds"
	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/store"
	"issuer.example/store/bolt"
	"issuer.example/store/move"
	"issuer.example/store/storetest"
)

// fleet is one issuer, whose store is moved, and the clients of its sessions.
type fleet struct {
	t      *testing.T
	signer *jwt.Signer
	ring   *refresh.Keyring
	db     store.Backend
	issuer *session.Service
	now    atomic.Pointer[time.Time]
	tokens []string // the newest refresh token that each client has

	seq uint64 // of the newest revocation that the guards have
}

func refreshKeys() []refresh.Key { return []refresh.Key{{ID: 1, Key: [32]byte{1}}} }

// newFleet has a client for each of the sessions of [storetest.Archive].
func newFleet(t *testing.T, n int) *fleet {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, tokens: make([]string, n)}
	if f.signer, err = jwt.NewSigner("k1", jwt.ES256, private); err != nil {
		t.Fatal(err)
	}
	if f.ring, err = refresh.NewKeyring(refreshKeys()); err != nil {
		t.Fatal(err)
	}
	for i := range f.tokens {
		f.tokens[i] = f.ring.Seal(f.ring.First(storetest.ArchiveID(i)))
	}
	f.set(storetest.ArchiveTime(n))
	return f
}

func (f *fleet) set(now time.Time) { f.now.Store(&now) }

// serve has the issuer use a store.
func (f *fleet) serve(db store.Backend) {
	f.t.Helper()
	published, err := jwt.NewKeySet(f.signer.Key())
	if err != nil {
		f.t.Fatal(err)
	}
	f.db = db
	f.issuer, err = session.New(session.Config{
		Store: db, Signer: f.signer, Keys: published, RefreshKeys: refreshKeys(),
		Issuer: "https://auth.example", Audience: []string{"https://auth.example"},
		AccessLifetime: 5 * time.Minute, Leeway: time.Minute,
		AbsoluteTimeout: 1000 * time.Hour, IdleTimeout: 1000 * time.Hour, History: 48 * time.Hour,
		Refresh: refresh.Policy{Window: 10 * time.Second}, Now: func() time.Time { return *f.now.Load() },
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// many calls fn with the numbers of clients, many at once.
func (f *fleet) many(clients []int, fn func(n int) error) {
	f.t.Helper()
	var (
		next atomic.Int64
		wg   sync.WaitGroup
	)
	for range 32 {
		wg.Go(func() {
			for i := next.Add(1); int(i) <= len(clients) && !f.t.Failed(); i = next.Add(1) {
				if err := fn(clients[i-1]); err != nil {
					f.t.Errorf("client %d: %v", clients[i-1], err)
				}
			}
		})
	}
	wg.Wait()
}

// redeem redeems the token of a client, which is good.
func (f *fleet) redeem(n int) error {
	g, err := f.issuer.Refresh(f.t.Context(), f.tokens[n], session.Device{})
	if err != nil {
		return fmt.Errorf("it is signed out: %w", err)
	}
	f.tokens[n] = g.RefreshToken
	return nil
}

// loseAnswer redeems the token of a client that does not get the answer.
func (f *fleet) loseAnswer(n int) error {
	_, err := f.issuer.Refresh(f.t.Context(), f.tokens[n], session.Device{})
	return err
}

func (f *fleet) revoke(n int) error { return f.issuer.RevokeToken(f.t.Context(), f.tokens[n]) }

func (f *fleet) revokeUser(n int) error {
	_, err := f.issuer.RevokeUser(f.t.Context(), session.RevokeUserRequest{
		UserID: storetest.ArchiveUser(n), Cause: session.Cause{Reason: session.ReasonServiceRevoked, By: "backend"},
	})
	return err
}

// wantEnded checks that a client is signed out.
func (f *fleet) wantEnded(n int) error {
	if _, err := f.issuer.Refresh(f.t.Context(), f.tokens[n], session.Device{}); !errors.Is(err, session.ErrRevoked) {
		return fmt.Errorf("its session was revoked, and its token gets: %w", err)
	}
	return nil
}

// follow reads the feed on from the newest revocation that the guards have, and returns how many are new.
func (f *fleet) follow() (n int) {
	f.t.Helper()
	entries, first, err := f.db.Revocations(f.t.Context(), f.seq, 1e6)
	if err != nil || first > f.seq+1 {
		f.t.Fatalf("the feed does not go on after %d: it begins with %d, %v", f.seq, first, err)
	}
	for _, e := range entries {
		if f.seq++; e.Seq != f.seq {
			f.t.Fatalf("revocation %d instead of %d", e.Seq, f.seq)
		}
	}
	return len(entries)
}

// group are up to limit clients that none of the other groups has and that are not of the client kiosk.
func (f *fleet) group(number, limit int) (clients []int) {
	for n := number * 2; n < len(f.tokens) && len(clients) < limit; n += 50 {
		if n%50 != 0 {
			clients = append(clients, n)
		}
	}
	return clients
}

// Sessions are moved into a database, and back, while their clients go on. None is signed out by it, not even one that
// never got the answer to its last refresh, and what was revoked stays revoked, whether one by one, by user or by client.
func TestClientsGoOn(t *testing.T) {
	sessions, sample := rounds.Soak(t, 10_000, 100_000), rounds.Soak(t, 100, 1000)
	f := newFleet(t, sessions)
	path := filepath.Join(t.TempDir(), "store.db")
	err := bolt.Import(t.Context(), path, func(to store.Target) error {
		_, err := move.Copy(t.Context(), storetest.Archive(sessions), to, silent{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dsn, back := newDatabase(t), path+".back"
	f.serve(openStore(t, path, ""))
	f.across(0, sample, func() store.Backend {
		copied, err := toDatabase(t, path, dsn)
		if err != nil || copied.Live+copied.Ended != int64(sessions) || copied.Marks == 0 {
			t.Fatalf("moved %+v, %v", copied, err)
		}
		return openStore(t, "", dsn)
	})
	f.across(5, sample, func() store.Backend {
		if _, err := toFile(t, dsn, back); err != nil {
			t.Fatal(err)
		}
		return openStore(t, back, "")
	})
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
}

// across has groups of clients, of which the first has that number, do things before and after a move.
func (f *fleet) across(first, sample int, moved func() store.Backend) {
	f.t.Helper()
	lost, ended, users, used := f.group(first+1, sample), f.group(first+2, sample), f.group(first+3, sample), f.group(first+4, sample)
	f.many(lost, f.loseAnswer)
	f.many(ended, f.revoke)
	f.many(users, f.revokeUser)
	f.many(used, f.redeem)
	if err := f.issuer.RevokeClient(f.t.Context(), "kiosk", session.Cause{Reason: session.ReasonClientRevoked, By: "backend"}); err != nil {
		f.t.Fatal(err)
	}
	if n := f.follow(); n != len(ended)+len(users)+1 {
		f.t.Errorf("%d new revocations, want %d", n, len(ended)+len(users)+1)
	}
	if err := f.db.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.serve(moved())
	if n := f.follow(); n != 0 {
		f.t.Errorf("the move has brought %d new revocations", n)
	}
	f.set(f.now.Load().Add(5 * time.Second))
	f.many(lost, f.redeem)
	f.many(used, f.redeem)
	f.many(f.group(first+11, sample), f.redeem) // they have not been used before
	f.many(append(ended, users...), f.wantEnded)
	f.many([]int{50, 100, 150}, f.wantEnded) // of the client kiosk
	f.many(lost, f.redeem)
}

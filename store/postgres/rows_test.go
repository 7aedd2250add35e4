package postgres

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// begin is when the sessions of these tests begin.
func begin() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC) }

// plain is a session with the required fields only.
func plain(id sid.ID, user string) stored {
	return stored{
		Snapshot: session.Snapshot{
			Session: session.Session{
				ID: id, User: session.User{ID: user}, ClientID: "app",
				CreatedAt: begin(), AuthTime: begin(), ExpiresAt: begin().Add(720 * time.Hour), IdleTimeout: time.Hour,
			},
			State: session.State{State: refresh.State{RedeemedAt: begin()}, LastSeenAt: begin()},
		},
		version: 1, dueAt: begin().Add(time.Hour),
	}
}

// complete is a session with all fields.
func complete(id sid.ID, user string) stored {
	s := plain(id, user)
	r, st := &s.Session, &s.State
	r.User.Email, r.User.Name, r.User.Image = "a@example.com", "Ünï \u202ecode", "https://example.com/i.png"
	r.Claims, r.Audience, r.Scope = json.RawMessage(`{"plan": "pro","n":[1,2]}`), []string{"https://a.example", "b"}, "read write"
	r.AMR, r.ACR, r.Label = []string{"pwd", "otp"}, "urn:2", "laptop"
	r.IP, r.UserAgent = netip.MustParseAddr("2001:db8::7"), "Browser/1.0"
	r.IdleTimeout, r.Unclaimed, r.Replaces = 90*time.Second+time.Millisecond, true, sid.Next(sid.ID{}, begin())
	st.Generation, st.Branch, st.KeyID, st.Apart = 1<<32-1, refresh.Branch{0: 1, 9: 2}, 255, refresh.MaxGenerations
	st.WasDue, st.LastSeenAt, st.SeenBefore = true, begin().Add(2*time.Minute), begin().Add(time.Minute)
	st.RedeemedFrom = session.Device{IP: netip.MustParseAddr("2001:db8::8"), UserAgent: "Browser/1.0"}
	st.LastFrom = session.Device{IP: netip.MustParseAddr("192.0.2.1")}
	st.Reuse = session.Reuse{Generation: 1<<32 - 2, From: session.Device{IP: netip.MustParseAddr("192.0.2.2"), UserAgent: "A third"}}
	s.End = session.End{At: begin().Add(3 * time.Minute), Reason: "a reason of tomorrow"}
	return s
}

func TestRows(t *testing.T) {
	db := openAt(t, Config{DSN: newDatabase(t)})
	a, b := sid.Next(sid.ID{}, begin()), sid.Next(sid.ID{}, begin())
	for _, s := range []stored{plain(a, "u1"), complete(b, "u2")} {
		if _, err := db.pool.Exec(t.Context(), insertSession, insertArgs(s)...); err != nil {
			t.Fatal(err)
		}
		if got, err := db.read(t.Context(), s.Session.ID); err != nil || !reflect.DeepEqual(got, &s) {
			t.Errorf("written %+v\nread %+v, %v", s, got, err)
		}
	}
	for _, s := range []stored{complete(a, "u1"), plain(b, "u2"), {Snapshot: session.Snapshot{Session: session.Session{ID: a}}}} {
		err := db.inTx(t.Context(), func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), updateSession, insertArgs(s)...)
			return err
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := db.read(t.Context(), s.Session.ID); err != nil || !reflect.DeepEqual(got, &s) {
			t.Errorf("written %+v\nread %+v, %v", s, got, err)
		}
	}
}

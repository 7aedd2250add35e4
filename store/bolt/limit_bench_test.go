package bolt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store/bolt"
)

// BenchmarkLimit measures sign-ins of a user above the limit of 5, by how many sessions the user
// had when the limit was set. The first sign-in after that, which ends all but five, is measured
// apart: everybody else's writes wait for it.
func BenchmarkLimit(b *testing.B) {
	for _, n := range []int{5, 1_000, 100_000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			db, err := bolt.Open(b.Context(), bolt.Config{Path: filepath.Join(b.TempDir(), "issuer.db"), Logger: quiet()})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			crowd, ids := make([]session.Session, n), sid.NewGenerator(nil)
			for i := range crowd {
				crowd[i] = signIn()
				crowd[i].ID, crowd[i].User.ID = ids.Next(), "u1"
			}
			if err := db.Insert(b.Context(), crowd...); err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			signInAboveLimit(b, db)
			first := time.Since(began)
			for b.Loop() {
				signInAboveLimit(b, db)
			}
			b.ReportMetric(float64(first.Microseconds()), "first-µs")
		})
	}
}

func signInAboveLimit(b *testing.B, db *bolt.DB) {
	s := signIn()
	s.User.ID = "u1"
	_, err := db.Create(context.Background(), session.CreateRequest{
		Session: s, State: session.State{LastSeenAt: s.CreatedAt}, By: "web",
		Admission: session.Admission{At: s.CreatedAt, Limit: session.Limit{
			Max: 5, Policy: session.LimitEvictOldest, Judge: everyoneIsLive, Notice: session.Notice{Issued: s.CreatedAt, Life: time.Minute},
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
}

// everyoneIsLive is the verdict on sessions that have neither been ended nor marked.
func everyoneIsLive(s session.Snapshot) session.Verdict {
	v := session.Verdict{End: s.End, Again: s.Session.ExpiresAt}
	if !s.Mark.SID.IsZero() {
		v.End = session.End{At: s.Mark.At, Reason: session.Reason(s.Mark.Reason)}
	}
	return v
}

package postgres

import (
	"testing"
	"time"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// verdict judges sessions at that time: they end by the clock or under a mark, and are kept for a day then.
func verdict(now time.Time) session.Judge {
	return func(s session.Snapshot) session.Verdict {
		end, idle := s.End, s.State.LastSeenAt.Add(s.Session.IdleTimeout)
		if end.IsZero() && isMarked(s) {
			end = session.End{At: s.Mark.At, Reason: session.Reason(s.Mark.Reason)}
		}
		if end.IsZero() && !now.Before(idle) {
			end = session.End{At: idle, Reason: session.ReasonIdle}
		}
		if end.IsZero() {
			return session.Verdict{Again: idle}
		}
		return session.Verdict{End: end, Again: end.At.Add(24 * time.Hour)}
	}
}

// signIn asks for a session of a user who may have so many.
func signIn(user string, most int) session.CreateRequest {
	s := plain(sid.ID{}, user)
	return session.CreateRequest{
		Session: s.Session, State: s.State, By: "backend",
		Admission: session.Admission{At: begin(), Limit: session.Limit{
			Max: most, Policy: session.LimitEvictOldest, Judge: verdict(begin()),
			Notice: session.Notice{Issued: begin(), Life: time.Minute},
		}},
	}
}

func mustCreate(t testing.TB, db *DB, c session.CreateRequest) sid.ID {
	t.Helper()
	created, err := db.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return created.Session.Session.ID
}

// over marks the sessions of a scope.
func over(scope revocation.Scope, at time.Time) session.MarkRequest {
	return session.MarkRequest{
		Scope: scope, At: at, Reason: session.ReasonServiceRevoked, By: "backend",
		Notice: session.Notice{Issued: at, Life: time.Minute}, Judge: verdict(at),
	}
}

func mustMark(t testing.TB, db *DB, m session.MarkRequest) session.Marked {
	t.Helper()
	marked, err := db.Mark(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return marked
}

// sweepUntilDone sweeps until there is nothing to do at that time.
func sweepUntilDone(t testing.TB, db *DB, now time.Time) (sum session.Swept) {
	t.Helper()
	for more := true; more; {
		swept, err := db.Sweep(t.Context(), session.SweepRequest{Now: now, Judge: verdict(now), Issued: now})
		if err != nil {
			t.Fatal(err)
		}
		sum.Ended += swept.Ended
		sum.Forgotten += swept.Forgotten
		more = swept.More
	}
	return sum
}

func count(t testing.TB, db *DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

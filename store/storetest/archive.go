package storetest

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
	"issuer.example/store"
)

// Archive is the content of a store with as many sessions, two a user, that nobody has used yet.
type Archive int

// Items implements [store.Archive].
func (n Archive) Items(context.Context) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		totals := store.Totals{
			Live: int64(n), Newest: ArchiveID(int(n) - 1), Latest: ArchiveTime(int(n)), Fact: uint64(n), FirstFact: 1, FirstRevocation: 1,
		}
		if !yield(store.Item{Totals: &totals}, nil) || !yield(store.Item{Keys: &keys.Stored{Version: 1, Document: []byte("sealed")}}, nil) {
			return
		}
		for i := range int(n) {
			f := fact.Fact{Number: uint64(i + 1), Kind: fact.Created, At: ArchiveTime(i), SID: ArchiveID(i), By: "web"}
			if !yield(store.Item{Fact: &f}, nil) {
				return
			}
		}
		for i := range int(n) {
			if !yield(store.Item{Session: signedIn(i)}, nil) {
				return
			}
		}
	}
}

// ArchiveTime is when session n begins.
func ArchiveTime(n int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
}

// ArchiveID is the identifier of session n. It is not drawn, so that an archive gives the same each time.
func ArchiveID(n int) sid.ID {
	id := sid.Next(sid.ID{}, ArchiveTime(n))
	copy(id[8:], fmt.Sprintf("\x80%07d", n))
	return id
}

// ArchiveUser has the sessions n and n+1 for an even n.
func ArchiveUser(n int) string { return fmt.Sprintf("user-%d", n/2) }

// signedIn is session n, of a browser. Each 50th is one of the client kiosk.
func signedIn(n int) *store.Session {
	at, clientID := ArchiveTime(n), "web"
	if n%50 == 0 {
		clientID = "kiosk"
	}
	from := session.Device{
		IP:        netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	}
	return &store.Session{
		Snapshot: session.Snapshot{
			Session: session.Session{
				ID: ArchiveID(n), User: session.User{ID: ArchiveUser(n), Email: fmt.Sprintf("user-%d@example.com", n)},
				ClientID: clientID, AMR: []string{"pwd"}, IP: from.IP, UserAgent: from.UserAgent,
				CreatedAt: at, AuthTime: at, ExpiresAt: at.Add(90 * 24 * time.Hour), IdleTimeout: 14 * 24 * time.Hour,
			},
			State: session.State{
				State: refresh.State{RedeemedAt: at}, RedeemedFrom: from, LastSeenAt: at, LastFrom: from,
			},
		},
		DueAt: at.Add(14 * 24 * time.Hour),
	}
}

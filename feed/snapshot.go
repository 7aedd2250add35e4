package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// snapshotAge is for how long a snapshot is served again.
const snapshotAge = time.Second

// errTooLarge means that more is revoked than a snapshot can hold.
var errTooLarge = errors.New("feed: the snapshot is too large")

// snapshots holds the newest one.
type snapshots struct {
	turn   chan struct{} // holds a token while one is made, and guards what follows
	newest message
	at     time.Time // when the log was read
}

func newSnapshots() snapshots { return snapshots{turn: make(chan struct{}, 1)} }

// Snapshot returns the whole list, signed: the compact JWS of a [revocation.Snapshot]. It
// is at most a second old, and shared: nobody changes it.
func (h *Hub) Snapshot(ctx context.Context) ([]byte, error) {
	s := &h.snapshots
	leave, err := enter(ctx, s.turn)
	if err != nil {
		return nil, err
	}
	defer leave()
	if time.Since(s.at) < snapshotAge && h.valid(s.newest) {
		return s.newest.text, nil
	}
	at := time.Now()
	list, err := h.list(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := list.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding the snapshot: %w", err)
	}
	jws, keyID, err := h.cfg.Signer.Sign(revocation.TypeSnapshot, payload)
	if err != nil {
		return nil, fmt.Errorf("signing the snapshot: %w", err)
	}
	if len(jws) > revocation.MaxSnapshotSize {
		return nil, errTooLarge
	}
	s.newest, s.at = message{[]byte(jws), keyID}, at
	return s.newest.text, nil
}

// list reads the entries that verifiers still need. The log may be trimmed meanwhile: what
// is missing then has ended.
func (h *Hub) list(ctx context.Context) (revocation.Snapshot, error) {
	now := h.cfg.Now()
	s := revocation.Snapshot{Issuer: h.cfg.Issuer, IssuedAt: now}
	for {
		entries, first, err := h.cfg.Log.Entries(ctx, s.Next, pageSize)
		if err != nil {
			return s, fmt.Errorf("reading the log: %w", err)
		}
		for i := range entries {
			if entries[i].Until.After(now) {
				s.Entries = append(s.Entries, entries[i])
			}
			s.Next, s.Last = entries[i].Seq, entries[i].SID
		}
		if len(entries) == 0 && first > s.Next+1 {
			s.Next, s.Last = first-1, sid.ID{}
		}
		if len(entries) < pageSize {
			return s, nil
		}
	}
}

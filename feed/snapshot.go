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

// errTooLarge means that there are more revocations than a snapshot can hold.
var errTooLarge = errors.New("feed: the snapshot is too large")

// snapshots holds the newest one.
type snapshots struct {
	making chan struct{} // semaphore: one at a time is made; it guards the fields below
	newest message
	at     time.Time // when the log was read
}

func newSnapshots() snapshots { return snapshots{making: make(chan struct{}, 1)} }

// Snapshot returns the whole list, signed: the compact JWS of a [revocation.Snapshot]. It
// is at most a second old, and shared: callers must not change it.
func (h *Hub) Snapshot(ctx context.Context) ([]byte, error) {
	s := &h.snapshots
	release, err := acquire(ctx, s.making)
	if err != nil {
		return nil, err
	}
	defer release()
	if time.Since(s.at) < snapshotAge && h.verifiable(s.newest) {
		return s.newest.text, nil
	}
	at := time.Now()
	list, err := h.readList(ctx)
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

// readList reads the revocations that verifiers still need. The log may be trimmed
// meanwhile: verifiers no longer need what is missing then.
func (h *Hub) readList(ctx context.Context) (revocation.Snapshot, error) {
	now := h.cfg.Now()
	s := revocation.Snapshot{Issuer: h.cfg.Issuer, IssuedAt: now}
	for {
		entries, first, err := h.cfg.Log.Revocations(ctx, s.Next, pageSize)
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

package guard

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
)

// follower is what the snapshots and the stream of a guard have in common. Both follow the
// same log, and neither waits for the other: docs/feed.md, "Whatever happens to the
// stream".
type follower struct {
	client       *client
	discovery    *discovery
	keys         *keyring
	revocations  *revocations
	state        *stateKeeper
	stats        *counters
	report       *reporter
	name         string
	now          func() time.Time
	logger       *slog.Logger
	maxStaleness time.Duration
}

// silenceLimit is how long after an alive the next proof is waited for. The issuer sends an
// alive every 10 s.
func (f *follower) silenceLimit() time.Duration { return max(f.maxStaleness*2/3, 12*time.Second) }

// recordFault notes why the stream or a snapshot failed.
func (f *follower) recordFault(err error) {
	f.stats.faults.Add(1)
	f.stats.setFault(&f.stats.feedFault, err, f.now())
	f.logger.Warn("following the issuer's revocations", "error", err)
}

// refetchKeysIfEverythingRevoked fetches the keys again if an entry covers everything: that
// is how the issuer announces that a key was compromised.
func (f *follower) refetchKeysIfEverythingRevoked(entries ...revocation.Entry) {
	if slices.ContainsFunc(entries, func(e revocation.Entry) bool { return e.Scope.Kind == revocation.KindEverything }) {
		f.state.dropKeys()
		f.keys.fetchFromNow()
	}
}

// verify checks the signature of a message. If its key is unknown, the keys are fetched
// once. The cool-down for tokens does not apply, because an attacker can use it up; the
// pauses between connections and between snapshots bound the fetches instead.
func (f *follower) verify(ctx context.Context, text []byte, typ string, limit int) ([]byte, error) {
	seen := f.keys.generation()
	payload, err := jwt.VerifyDocument(text, f.keys, typ, limit)
	if isUnknownKey(err) && f.keys.update(ctx, 0, seen) {
		payload, err = jwt.VerifyDocument(text, f.keys, typ, limit)
	}
	return payload, err
}

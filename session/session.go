// Package session issues sessions, refreshes, changes, lists and ends them, and holds the
// policies about that.
//
// A session is a record ([Session], which hardly ever changes) and a state ([State],
// which every first use of a refresh token changes). It is live until it has an [End].
// [Service] holds the use cases. Each asks the [Store] for one thing: a session, a page of
// them, a new one, a change of one, a mark over many. What changes is decided by pure
// functions of the [Snapshot] that the store hands them. The rules for refresh tokens are
// package refresh.
//
// A session id ([sid.ID]) is public and never a credential. Every error that a caller can
// act on is one of the errors of this package.
package session

import (
	"encoding/json"
	"net/netip"
	"time"

	"issuer.example/revocation"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// User is what the backend that authenticated the user says about them. Only ID is
// required; the rest is handed back with the session.
type User struct {
	ID    string // the `sub` of access tokens: 1 to 255 bytes of UTF-8, no control characters
	Email string
	Name  string
	Image string
}

// Session is the record of a session: what was true at sign-in. A reauthentication changes
// it (AuthTime, AMR, ACR and what the session is bound to), and the claim of a hand-off code
// (IdleTimeout, Unclaimed, Replaces).
type Session struct {
	ID       sid.ID
	User     User
	ClientID string          // name of the service key that minted it: `client_id`
	Claims   json.RawMessage // a JSON object added to every access token, or nil
	Audience []string        // `aud` of its access tokens; nil means the configured one
	Scope    string          // `scope` of its access tokens (RFC 9068 §2.2.3): tokens apart by one space, or ""
	AMR      []string        // how the user authenticated (RFC 8176)
	ACR      string          // how strong that was
	Label    string          // a name for the device, for people

	IP        netip.Addr // where the sign-in came from; invalid if unknown. Binding judges by it.
	UserAgent string     // the sign-in's, or ""; binding judges by it

	CreatedAt time.Time
	AuthTime  time.Time // when the user last proved who they are
	ExpiresAt time.Time // the absolute end; no refresh moves it
	// IdleTimeout is the session's own idle timeout; a shorter configured one takes
	// effect at once, a longer one does not.
	IdleTimeout time.Duration

	// Unclaimed: it waits for its hand-off code to be claimed, and does not count for limits.
	Unclaimed bool
	// Replaces is the session that ends when the hand-off code is claimed; zero for none.
	Replaces sid.ID
}

// State is what refreshing changes. Its size does not depend on how often that was.
type State struct {
	refresh.State

	RedeemedFrom Device    // where RedeemedAt came from
	LastSeenAt   time.Time // the idle timeout counts from here
	LastFrom     Device    // where it was last used from
	// SeenBefore is when it was last used before the step of time that LastSeenAt lies in;
	// zero if it was not. Holders see it until that step is over: see [View].
	SeenBefore time.Time
	// WasDue says that a renewal was due at RedeemedAt, before the redemption: see [Reading].
	WasDue bool

	Reuse Reuse // the zero Reuse unless a copied token has ended the session
}

// Reuse is the use of a copied refresh token that has ended a session.
type Reuse struct {
	Generation uint32 // of that token
	From       Device
}

// End is why and when a session ended. The zero End means that it has not.
type End struct {
	At     time.Time
	Reason Reason
}

// IsZero reports whether there is no end.
func (e End) IsZero() bool { return e.At.IsZero() }

// Snapshot is a session as the store has it. A session whose End is zero can have ended
// all the same, by the clock or under a mark: [View] is the verdict.
type Snapshot struct {
	Session Session
	State   State // of an ended session: the last one
	End     End
	// Mark is the earliest mark, by its time, that covers the session; the zero Mark if none
	// does. It is not looked up for a session whose end is on record.
	Mark revocation.Mark
}

// Reason says why a session ended. The words are stable: they are stored, shown and
// counted.
type Reason string

// The reasons.
const (
	ReasonSignOut         Reason = "sign_out"             // its holder signed out
	ReasonUserRevoked     Reason = "revoked_by_user"      // its user ended it from another session
	ReasonUserRevokedAll  Reason = "revoked_all_by_user"  // its user signed out everywhere
	ReasonServiceRevoked  Reason = "revoked_by_service"   // a backend ended it by id or by user
	ReasonAdminRevoked    Reason = "revoked_by_admin"     // an administrator ended it
	ReasonTokenRevoked    Reason = "token_revoked"        // its token was revoked (RFC 7009)
	ReasonRefreshReuse    Reason = "refresh_reuse"        // a copied refresh token was used
	ReasonLimit           Reason = "session_limit"        // evicted: its user has too many sessions
	ReasonExpired         Reason = "expired"              // its absolute end was reached
	ReasonIdle            Reason = "idle"                 // it was not used for its idle timeout
	ReasonBindingMismatch Reason = "binding_mismatch"     // used from elsewhere, with binding enforced
	ReasonKeyRevoked      Reason = "signing_key_revoked"  // a signing key was revoked in an emergency
	ReasonClientRevoked   Reason = "revoked_by_client_id" // every session of its client was ended
	ReasonReplaced        Reason = "replaced"             // a new sign-in of its user took its place
	ReasonHandoffReuse    Reason = "handoff_reuse"        // its hand-off code was used a second time
)

// Device is where a request comes from.
type Device struct {
	IP        netip.Addr // invalid if unknown
	UserAgent string
}

// View is a session as it stands at one moment, with what follows from policy.
//
// In the views that holders get, the times of use move in steps and late, so that a holder of
// a stolen token does not learn when the other one refreshes: LastSeenAt and IdleExpiresAt are
// rounded down, LastSeenAt at most to CreatedAt, and a use is shown when the step in which it
// happened is over. Of the rest of the state they have LastFrom only.
type View struct {
	Session
	State
	IdleExpiresAt time.Time
	End           End // zero while it is live
}

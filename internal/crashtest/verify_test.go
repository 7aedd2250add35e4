//go:build linux

package crashtest_test

import (
	"net/http"
	"slices"
	"time"
)

// recent is how many of a user's newest ended sessions are checked when the check is not
// thorough, besides a random older one.
const recent = 2

// verify checks everything that the client knows, while nothing else is in flight.
func (a *actor) verify(thorough bool) {
	for _, u := range a.users {
		a.verifyList(u)
		for _, h := range u.holders() {
			a.verifyOldToken(u, h)
			if h.life != ended {
				a.perform(u, a.refresh(h))
			}
		}
		for _, h := range a.sample(u, thorough) {
			a.verifyEnded(h)
		}
	}
}

// sample picks ended sessions: all of them, or the newest and some older ones.
func (a *actor) sample(u *user, thorough bool) []*tracked {
	if thorough {
		return u.ended
	}
	newest := max(0, len(u.ended)-recent)
	picked := slices.Clone(u.ended[newest:])
	if newest > 0 {
		picked = append(picked, u.ended[a.rand.IntN(newest)])
	}
	return picked
}

// verifyList checks that the list of a user's live sessions has all that must be there, and
// none but those that may be.
func (a *actor) verifyList(u *user) {
	r := a.issuer().list(u.id)
	if r.err != nil || r.status != http.StatusOK {
		a.fleet.fail("the list of %s was answered %v", u.id, r)
		return
	}
	listed := map[string]bool{}
	for _, s := range r.Sessions {
		listed[s.ID] = true
	}
	for _, h := range u.ended {
		if listed[h.id] {
			a.fleet.fail("an ended session lives again: %v", h)
		}
		delete(listed, h.id)
	}
	for _, h := range u.sessions {
		switch {
		case h.life == live && !listed[h.id]:
			a.fleet.fail("a session is lost: %v", h)
		case h.life == maybeEnded && listed[h.id]:
			h.note("seen live")
			h.life = live
		case h.life == maybeEnded:
			h.note("seen ended")
			h.life = ended
		}
		delete(listed, h.id)
	}
	if len(listed) > u.unknown {
		a.fleet.fail("%s has %d sessions that nobody knows, and %d mints without an answer", u.id, len(listed), u.unknown)
	}
	for id := range listed {
		h := &tracked{id: id}
		h.note("found")
		u.sessions = append(u.sessions, h)
	}
	u.unknown = 0 // nothing is in flight
	u.moveEnded()
}

// verifyOldToken redeems the token two before the newest. If the issuer knows the last
// refresh, it is the token of a tab that was one step behind. If it has forgotten the refresh,
// it is the newest redeemed token, and the answer has a token that was used already.
func (a *actor) verifyOldToken(u *user, h *tracked) {
	if h.provenTokens() < 2 {
		return
	}
	if a.fleet.window > 0 && time.Since(h.redeemed) > a.fleet.window/2 {
		return // it would count as reuse
	}
	if a.fleet.window == 0 && a.rand.IntN(4) > 0 {
		return // it ends the session
	}
	r := a.issuer().refresh(h.older(2))
	a.fleet.count(r)
	h.note("refresh of the token two before: %v", r)
	switch {
	case a.fleet.window > 0 && r.status == http.StatusOK && !h.superseded(r.Refresh):
	case a.fleet.window == 0 && r.is("refresh_token_reused"):
		h.life = ended
		u.moveEnded()
	default:
		a.fleet.fail("the token two before the newest was answered %v: an acknowledged refresh is forgotten: %v", r, h)
	}
}

// verifyEnded checks that no token of an ended session works, and that its end is shown.
func (a *actor) verifyEnded(h *tracked) {
	if len(h.tokens) > 0 {
		token := h.tokens[max(0, len(h.tokens)-1-a.rand.IntN(keptTokens))]
		if r := a.issuer().refresh(token); !r.is("session_revoked") {
			a.fleet.fail("a refresh token of an ended session was answered %v: %v", r, h)
		}
		if r := a.issuer().current(h.access); !r.is("session_revoked") {
			a.fleet.fail("an access token of an ended session was answered %v: %v", r, h)
		}
	}
	if r := a.issuer().show(h.id); r.status != http.StatusOK || r.Session.EndedAt.IsZero() || r.Session.EndReason == "" {
		a.fleet.fail("an ended session is shown as %v %+v: %v", r, r.Session, h)
	}
}

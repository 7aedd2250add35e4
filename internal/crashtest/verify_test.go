//go:build linux

package crashtest_test

import (
	"net/http"
	"slices"
	"time"
)

// recent is how many of a user's newest ended sessions a check looks at that is not
// thorough. It looks at one older one, too.
const recent = 2

// verify checks all that the client knows, while nobody else calls.
func (a *actor) verify(thorough bool) {
	for _, u := range a.users {
		a.verifyList(u)
		for _, h := range u.holders() {
			a.verifyOld(u, h)
			if h.life != over {
				a.perform(u, a.refresh(h))
			}
		}
		for _, h := range a.sample(u, thorough) {
			a.verifyOver(h)
		}
	}
}

// sample picks ended sessions: all of them, or the newest and some older ones.
func (a *actor) sample(u *user, thorough bool) []*held {
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

// verifyList checks that a user's live sessions are those that must be there, and some of
// those that may be.
func (a *actor) verifyList(u *user) {
	r := a.fleet.api.list(u.id)
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
		case h.life == maybe && listed[h.id]:
			h.note("seen live")
			h.life = live
		case h.life == maybe:
			h.note("seen ended")
			h.life = over
		}
		delete(listed, h.id)
	}
	if len(listed) > u.strangers {
		a.fleet.fail("%s has %d sessions that nobody knows, and %d mints without an answer", u.id, len(listed), u.strangers)
	}
	for id := range listed {
		h := &held{id: id}
		h.note("found")
		u.sessions = append(u.sessions, h)
	}
	u.strangers = 0 // what was under way has come to its end
	u.tidy()
}

// verifyOld redeems the token two before the newest. If the last refresh is remembered,
// it is the one of a tab that was one step behind; if it was forgotten, it looks like the
// newest redeemed one and brings a token back that was used already.
func (a *actor) verifyOld(u *user, h *held) {
	if h.settled() < 2 {
		return
	}
	if a.fleet.window > 0 && time.Since(h.redeemed) > a.fleet.window/2 {
		return // it would be one for a thief
	}
	if a.fleet.window == 0 && a.rand.IntN(4) > 0 {
		return // it ends the session
	}
	r := a.fleet.api.refresh(h.before(2))
	a.fleet.count(r)
	h.note("refresh of the token two before: %v", r)
	switch {
	case a.fleet.window > 0 && r.status == http.StatusOK && !h.superseded(r.Refresh):
	case a.fleet.window == 0 && r.is("refresh_token_reused"):
		h.life = over
		u.tidy()
	default:
		a.fleet.fail("the token two before the newest was answered %v: an acknowledged refresh is forgotten: %v", r, h)
	}
}

// verifyOver checks that nothing of an ended session works, and that it is known to have
// ended.
func (a *actor) verifyOver(h *held) {
	if len(h.tokens) > 0 {
		token := h.tokens[max(0, len(h.tokens)-1-a.rand.IntN(keptTokens))]
		if r := a.fleet.api.refresh(token); !r.is("session_revoked") {
			a.fleet.fail("a refresh token of an ended session was answered %v: %v", r, h)
		}
		if r := a.fleet.api.current(h.access); !r.is("session_revoked") {
			a.fleet.fail("an access token of an ended session was answered %v: %v", r, h)
		}
	}
	if r := a.fleet.api.show(h.id); r.status != http.StatusOK || r.Session.EndedAt.IsZero() || r.Session.EndReason == "" {
		a.fleet.fail("an ended session is shown as %v %+v: %v", r, r.Session, h)
	}
}

//go:build linux

package crashtest_test

import (
	"net/http"
	"time"
)

// This file has the requests that begin and use sessions.

func (a *actor) mint(u *user) op {
	return op{
		send: func(c *api) reply { return c.mint(u.id) },
		onReply: func(r reply, _ bool) {
			switch {
			case r.inconclusive():
				u.unknown++
			case r.status == http.StatusCreated:
				h := &tracked{id: r.Session.ID, access: r.Access, tokens: []string{r.Refresh}}
				h.note("minted")
				u.sessions = append(u.sessions, h)
			default:
				a.fleet.fail("mint for %s was answered %v", u.id, r)
			}
		},
	}
}

// refresh redeems the newest token that the client has, as an honest client does.
func (a *actor) refresh(h *tracked) op {
	token, before := h.newest(), h.life
	if h.sent.IsZero() {
		h.sent = time.Now()
	}
	return op{
		about: h,
		send:  func(c *api) reply { return c.refresh(token) },
		onReply: func(r reply, contested bool) {
			h.note("refresh of its newest: %v", r)
			switch {
			case r.inconclusive():
				h.unanswered = true
			case r.status == http.StatusOK:
				if h.superseded(r.Refresh) {
					a.fleet.fail("a refresh of its newest token brings an old one back: %v", h)
				}
				h.storeReply(token, r)
				if before == maybeEnded && !contested && !a.fleet.retries {
					h.life = live
				}
			case r.is("session_revoked") && (before != live || contested):
				h.life = ended
			default:
				a.fleet.fail("an honest refresh was answered %v: %v", r, h)
			}
		},
	}
}

// replay redeems a token that was redeemed several refreshes ago, as a thief would: the
// session ends. If the session has no such token, it is a plain refresh.
func (a *actor) replay(h *tracked) op {
	steps := 3 // more than the redeem table allows within the window
	if h.provenTokens() < steps {
		return a.refresh(h)
	}
	token := h.older(steps)
	return op{
		about: h,
		ends:  func(other *tracked) bool { return other == h },
		send:  func(c *api) reply { return c.refresh(token) },
		onReply: func(r reply, _ bool) {
			h.note("replay: %v", r)
			switch {
			case r.inconclusive():
				h.life = maybeEnded
			case r.is("refresh_token_reused"):
				h.life = ended
			default:
				a.fleet.fail("a token that was used %d refreshes ago was answered %v: %v", steps, r, h)
			}
		},
	}
}

// current uses the access token.
func (a *actor) current(h *tracked) op {
	access, before := h.access, h.life
	return op{
		about: h,
		send:  func(c *api) reply { return c.current(access) },
		onReply: func(r reply, contested bool) {
			h.note("use: %v", r)
			switch {
			case r.inconclusive():
			case r.status == http.StatusOK && r.Session.ID == h.id:
				if before == maybeEnded && !contested && !a.fleet.retries {
					h.life = live
				}
			case r.is("session_revoked") && (before != live || contested):
				h.life = ended
			default:
				a.fleet.fail("an access token was answered %v: %v", r, h)
			}
		},
	}
}

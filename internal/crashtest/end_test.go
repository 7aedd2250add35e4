//go:build linux

package crashtest_test

import (
	"net/http"
	"slices"
)

// This file has the requests that end sessions.

// ended handles the answer to a request that ends one session.
func (a *actor) ended(h *tracked, how string, r reply, status int) {
	h.note("%s: %v", how, r)
	switch {
	case r.inconclusive():
		if h.life == live {
			h.life = maybeEnded
		}
	case r.status == status:
		h.life = ended
	default:
		a.fleet.fail("%s was answered %v: %v", how, r, h)
	}
}

func (a *actor) revoke(h *tracked) op {
	return op{
		about:   h,
		ends:    func(other *tracked) bool { return other == h },
		send:    func(c *api) reply { return c.revoke(h.id) },
		onReply: func(r reply, _ bool) { a.ended(h, "revoke", r, http.StatusNoContent) },
	}
}

func (a *actor) signOut(h *tracked) op {
	token := h.newest()
	if a.rand.IntN(2) == 0 {
		token = h.access
	}
	return op{
		about:   h,
		ends:    func(other *tracked) bool { return other == h },
		send:    func(c *api) reply { return c.signOut(token) },
		onReply: func(r reply, _ bool) { a.ended(h, "sign-out", r, http.StatusNoContent) },
	}
}

// revokeUser ends all sessions of a user, also those whose tokens nobody has.
func (a *actor) revokeUser(u *user) op {
	return a.revokeMany(u, nil, func(c *api) reply { return c.revokeUser(u.id) })
}

func (a *actor) revokeAll(u *user, by *tracked) op {
	access := by.access
	return a.byHolder(by, a.revokeMany(u, nil, func(c *api) reply { return c.revokeAll(access) }))
}

func (a *actor) revokeOthers(u *user, by *tracked) op {
	access := by.access
	return a.byHolder(by, a.revokeMany(u, by, func(c *api) reply { return c.revokeOthers(access) }))
}

// byHolder is a request that is refused if the session that makes it has ended.
func (a *actor) byHolder(by *tracked, o op) op {
	before, onReply := by.life, o.onReply
	o.onReply = func(r reply, contested bool) {
		if before == maybeEnded && r.is("session_revoked") {
			by.note("revocation of many: %v", r)
			by.life = ended
			return
		}
		onReply(r, contested)
		if before == maybeEnded && r.status == http.StatusOK && by.life == maybeEnded && !a.fleet.retries {
			by.life = live
		}
	}
	return o
}

// revokeMany ends the sessions that a user had before it, except one.
func (a *actor) revokeMany(u *user, spared *tracked, send func(*api) reply) op {
	existing, unknown := slices.Clone(u.sessions), u.unknown
	return op{
		ends: func(h *tracked) bool { return h != spared },
		send: send,
		onReply: func(r reply, _ bool) {
			if !r.inconclusive() && r.status != http.StatusOK {
				a.fleet.fail("a revocation of all sessions of %s was answered %v: %v", u.id, r, u.sessions)
				return
			}
			for _, h := range u.sessions {
				switch {
				case h == spared:
				case !r.inconclusive() && slices.Contains(existing, h):
					h.note("revoked with others: %v", r)
					h.life = ended
				case h.life == live: // no answer, or the session began at the same time
					h.note("maybe revoked with others: %v", r)
					h.life = maybeEnded
				}
			}
			if !r.inconclusive() && !a.fleet.retries {
				u.unknown -= unknown
			}
		},
	}
}

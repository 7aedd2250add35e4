//go:build linux

package crashtest_test

import (
	"net/http"
	"slices"
)

// The requests that end sessions.

// ended takes in the answer to a request that ends one session.
func (a *actor) ended(h *held, how string, r reply, status int) {
	h.note("%s: %v", how, r)
	switch {
	case r.open():
		if h.life == live {
			h.life = maybe
		}
	case r.status == status:
		h.life = over
	default:
		a.fleet.fail("%s was answered %v: %v", how, r, h)
	}
}

func (a *actor) revoke(h *held) op {
	return op{
		about: h,
		ends:  func(other *held) bool { return other == h },
		send:  func(c *api) reply { return c.revoke(h.id) },
		learn: func(r reply, _ bool) { a.ended(h, "revoke", r, http.StatusNoContent) },
	}
}

func (a *actor) signOut(h *held) op {
	token := h.newest()
	if a.rand.IntN(2) == 0 {
		token = h.access
	}
	return op{
		about: h,
		ends:  func(other *held) bool { return other == h },
		send:  func(c *api) reply { return c.signOut(token) },
		learn: func(r reply, _ bool) { a.ended(h, "sign-out", r, http.StatusNoContent) },
	}
}

// revokeUser ends all of a user's sessions, those too that nobody holds a token of.
func (a *actor) revokeUser(u *user) op {
	return a.revokeMany(u, nil, func(c *api) reply { return c.revokeUser(u.id) })
}

func (a *actor) revokeAll(u *user, by *held) op {
	access := by.access
	return a.byHolder(by, a.revokeMany(u, nil, func(c *api) reply { return c.revokeAll(access) }))
}

func (a *actor) revokeOthers(u *user, by *held) op {
	access := by.access
	return a.byHolder(by, a.revokeMany(u, by, func(c *api) reply { return c.revokeOthers(access) }))
}

// byHolder is a request that is refused if its own session has ended.
func (a *actor) byHolder(by *held, o op) op {
	before, learn := by.life, o.learn
	o.learn = func(r reply, rivalry bool) {
		if before == maybe && r.is("session_revoked") {
			by.note("revocation of many: %v", r)
			by.life = over
			return
		}
		learn(r, rivalry)
		if before == maybe && r.status == http.StatusOK && by.life == maybe {
			by.life = live
		}
	}
	return o
}

// revokeMany ends the sessions that a user had before it, but for one.
func (a *actor) revokeMany(u *user, spared *held, send func(*api) reply) op {
	existing, strangers := slices.Clone(u.sessions), u.strangers
	return op{
		ends: func(h *held) bool { return h != spared },
		send: send,
		learn: func(r reply, _ bool) {
			if !r.open() && r.status != http.StatusOK {
				a.fleet.fail("a revocation of all sessions of %s was answered %v: %v", u.id, r, u.sessions)
				return
			}
			for _, h := range u.sessions {
				switch {
				case h == spared:
				case !r.open() && slices.Contains(existing, h):
					h.note("revoked with others: %v", r)
					h.life = over
				case h.life == live: // unknown, or begun in the same moment
					h.note("maybe revoked with others: %v", r)
					h.life = maybe
				}
			}
			if !r.open() {
				u.strangers -= strangers
			}
		},
	}
}

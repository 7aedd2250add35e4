//go:build linux

package crashtest_test

import (
	"net/http"
	"time"
)

// The requests that begin and use sessions.

func (a *actor) mint(u *user) op {
	return op{
		send: func(c *api) reply { return c.mint(u.id) },
		learn: func(r reply, _ bool) {
			switch {
			case r.open():
				u.strangers++
			case r.status == http.StatusCreated:
				h := &held{id: r.Session.ID, access: r.Access, tokens: []string{r.Refresh}}
				h.note("minted")
				u.sessions = append(u.sessions, h)
			default:
				a.fleet.fail("mint for %s was answered %v", u.id, r)
			}
		},
	}
}

// refresh redeems the newest token that the client has, as an honest client does.
func (a *actor) refresh(h *held) op {
	token, before := h.newest(), h.life
	if h.sent.IsZero() {
		h.sent = time.Now()
	}
	return op{
		about: h,
		send:  func(c *api) reply { return c.refresh(token) },
		learn: func(r reply, rivalry bool) {
			h.note("refresh of its newest: %v", r)
			switch {
			case r.open():
				h.loose = true
			case r.status == http.StatusOK:
				if h.superseded(r.Refresh) {
					a.fleet.fail("a refresh of its newest token brings an old one back: %v", h)
				}
				h.receive(token, r)
				if before == maybe && !rivalry {
					h.life = live
				}
			case r.is("session_revoked") && (before != live || rivalry):
				h.life = over
			default:
				a.fleet.fail("an honest refresh was answered %v: %v", r, h)
			}
		},
	}
}

// replay redeems a token that was redeemed so long ago that only a thief would: the
// session ends. Where there is none, it is another refresh.
func (a *actor) replay(h *held) op {
	steps := 3 // so that it is outside the table even within the window
	if h.settled() < steps {
		return a.refresh(h)
	}
	token := h.before(steps)
	return op{
		about: h,
		ends:  func(other *held) bool { return other == h },
		send:  func(c *api) reply { return c.refresh(token) },
		learn: func(r reply, _ bool) {
			h.note("replay: %v", r)
			switch {
			case r.open():
				h.life = maybe
			case r.is("refresh_token_reused"):
				h.life = over
			default:
				a.fleet.fail("a token that was used %d refreshes ago was answered %v: %v", steps, r, h)
			}
		},
	}
}

// current uses the access token.
func (a *actor) current(h *held) op {
	access, before := h.access, h.life
	return op{
		about: h,
		send:  func(c *api) reply { return c.current(access) },
		learn: func(r reply, rivalry bool) {
			h.note("use: %v", r)
			switch {
			case r.open():
			case r.status == http.StatusOK && r.Session.ID == h.id:
				if before == maybe && !rivalry {
					h.life = live
				}
			case r.is("session_revoked") && (before != live || rivalry):
				h.life = over
			default:
				a.fleet.fail("an access token was answered %v: %v", r, h)
			}
		},
	}
}

//go:build linux

package crashtest_test

import (
	"math/rand/v2"
	"sync"
	"time"
)

// actor is a client with users of its own. It works on one user in steps. Within a step,
// several requests may be in flight.
type actor struct {
	fleet *fleet
	n     int
	rand  *rand.Rand
	users []*user
	cut   bool // a request got no answer: the issuer is gone
}

func (a *actor) working() bool {
	select {
	case <-a.fleet.halt:
		return false
	default:
		return !a.cut && a.fleet.faults.Load() == 0
	}
}

// op is a request, and what its answer says about the sessions.
type op struct {
	send func(*api) reply
	// ends reports whether it may end a session; nil: it ends none.
	ends func(*tracked) bool
	// onReply updates what is known. contested says that another request of the same step
	// may have ended the session of this one.
	onReply func(r reply, contested bool)
	about   *tracked // its session; nil if it concerns several or none
}

// perform sends the requests concurrently and then handles the answers in this order. The
// requests that end sessions must come last.
func (a *actor) perform(u *user, ops ...op) {
	replies := make([]reply, len(ops))
	if len(ops) == 1 {
		replies[0] = a.fleet.timed(ops[0].send, a.issuer())
	} else {
		var all sync.WaitGroup
		for i := range ops {
			issuer := a.issuer()
			all.Go(func() { replies[i] = a.fleet.timed(ops[i].send, issuer) })
		}
		all.Wait()
	}
	for i, o := range ops {
		a.fleet.count(replies[i])
		o.onReply(replies[i], mayBeEnded(ops, i))
		a.cut = a.cut || replies[i].err != nil && !a.fleet.retries
	}
	u.moveEnded()
	a.pauseIfRefused(replies)
}

// mayBeEnded reports whether another op of the step may end the session of the i-th.
func mayBeEnded(ops []op, i int) bool {
	for j, o := range ops {
		if j != i && ops[i].about != nil && o.ends != nil && o.ends(ops[i].about) {
			return true
		}
	}
	return false
}

// issuer picks the issuer of the next request.
func (a *actor) issuer() *api {
	issuers := *a.fleet.apis.Load()
	return issuers[a.rand.IntN(len(issuers))]
}

// pauseIfRefused waits before the next step if an issuer could not answer.
func (a *actor) pauseIfRefused(replies []reply) {
	for _, r := range replies {
		if r.inconclusive() && !a.cut {
			select {
			case <-a.fleet.halt:
			case <-time.After(retry):
			}
			return
		}
	}
}

// step performs a random step with one of the users.
func (a *actor) step() {
	u := a.users[a.rand.IntN(len(a.users))]
	with := u.holders()
	if len(with) == 0 || len(u.sessions) < 4 && a.rand.IntN(4) == 0 {
		a.perform(u, a.mint(u))
		return
	}
	h := with[a.rand.IntN(len(with))]
	switch n := a.rand.IntN(100); {
	case n < 62:
		a.perform(u, a.refresh(h))
	case n < 70:
		if a.fleet.window == 0 {
			a.perform(u, a.refresh(h))
			return
		}
		a.perform(u, a.refresh(h), a.refresh(h)) // two tabs
	case n < 74:
		a.perform(u, a.refresh(h), a.revoke(h))
	case n < 79:
		a.perform(u, a.signOut(h))
	case n < 84:
		one := u.sessions[a.rand.IntN(len(u.sessions))] // also one without tokens
		a.perform(u, a.revoke(one))
	case n < 88:
		a.perform(u, a.revokeUser(u))
	case n < 90:
		a.perform(u, a.mint(u), a.refresh(h), a.revokeUser(u))
	case n < 92:
		a.perform(u, a.revokeAll(u, h))
	case n < 94:
		a.perform(u, a.revokeOthers(u, h))
	case n < 96:
		a.perform(u, a.replay(h))
	default:
		a.perform(u, a.current(h))
	}
}

//go:build linux

package crashtest_test

import (
	"math/rand/v2"
	"sync"
	"time"
)

// actor is a client with users of its own. What it does with one user it does in steps;
// within a step, several requests may be under way at once.
type actor struct {
	fleet *fleet
	n     int
	rand  *rand.Rand
	users []*user
	cut   bool // the issuer did not answer any more
}

func (a *actor) working() bool {
	select {
	case <-a.fleet.halt:
		return false
	default:
		return !a.cut && a.fleet.faults.Load() == 0
	}
}

// op is a request and what is learnt from its answer.
type op struct {
	send func(*api) reply
	// ends tells which sessions it may end; nil: none.
	ends func(*held) bool
	// learn takes in the answer. rivalry: another request of the same step may have
	// ended the session that this one is about.
	learn func(r reply, rivalry bool)
	about *held // the session that it is about, if it is about one
}

// perform sends the requests at once and then learns from the answers, in this order.
// Those that end sessions come last.
func (a *actor) perform(u *user, ops ...op) {
	replies := make([]reply, len(ops))
	if len(ops) == 1 {
		replies[0] = ops[0].send(a.fleet.api)
	} else {
		var all sync.WaitGroup
		for i := range ops {
			all.Go(func() { replies[i] = ops[i].send(a.fleet.api) })
		}
		all.Wait()
	}
	for i, o := range ops {
		a.fleet.count(replies[i])
		o.learn(replies[i], rivals(ops, i))
		a.cut = a.cut || replies[i].err != nil
	}
	u.tidy()
	a.rest(replies)
}

// rivals reports whether an op's session may be ended by another one.
func rivals(ops []op, i int) bool {
	for j, o := range ops {
		if j != i && ops[i].about != nil && o.ends != nil && o.ends(ops[i].about) {
			return true
		}
	}
	return false
}

// rest waits a moment if the issuer could not answer.
func (a *actor) rest(replies []reply) {
	for _, r := range replies {
		if r.err == nil && r.open() {
			select {
			case <-a.fleet.halt:
			case <-time.After(retry):
			}
			return
		}
	}
}

// step does something with one of the users.
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
		one := u.sessions[a.rand.IntN(len(u.sessions))] // a stranger, too
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

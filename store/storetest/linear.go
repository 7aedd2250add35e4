package storetest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"issuer.example/internal/rounds"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
)

// testLinear checks that operations take effect at one moment each, between their call and
// their return, whatever runs beside them, at 1, 2 and 4 issuers.
func testLinear(t *testing.T, harness Harness) {
	parts := map[string]func(*testing.T, Harness){}
	for name, clocks := range clocks() {
		parts["Sessions/"+name] = func(t *testing.T, h Harness) { testLinearSessions(t, h, clocks) }
		parts["Users/"+name] = func(t *testing.T, h Harness) { testLinearUsers(t, h, clocks) }
	}
	subtests(t, harness, parts)
}

// What a client does to a session or a user, and what it is told.
type (
	action    int
	operation struct {
		action action
		target int
		// known says what is known of its effect.
		known knowledge
	}
	// standing is what an operation has seen: how a session was before it, or how many live
	// sessions a user had.
	standing struct {
		generation uint32
		over       bool
		live       int
	}
)

const (
	read   action = iota // look at it
	redeem               // advance the session, unless it is over
	revoke               // end the session
	mark                 // put the user's sessions under a mark
	create               // add a session to the user
)

// knowledge is what a client knows of the effect of an operation.
type knowledge int

const (
	effective knowledge = iota // it had its effect before it returned
	// attempted: it may have its effect once, later too, if it then finds what it has seen.
	attempted
	unknown // it may have its effect later, whatever it finds; what it has seen is not known
)

// model is one session, or one user, that is used by one client at a time.
func model(step func(now standing, do action, saw standing) (bool, standing)) porcupine.Model {
	return porcupine.Model{
		Partition: byTarget,
		Init:      func() any { return standing{} },
		Step: func(state, input, output any) (bool, any) {
			//nolint:forcetypeassert // they are those of this file
			now, op, saw := state.(standing), input.(operation), output.(standing)
			switch {
			case op.known == attempted && saw != now:
				return true, now
			case op.known == unknown:
				saw = now
			}
			return step(now, op.action, saw)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	}
}

func byTarget(history []porcupine.Operation) (parts [][]porcupine.Operation) {
	byTarget := map[int][]porcupine.Operation{}
	for _, op := range history {
		target := op.Input.(operation).target //nolint:forcetypeassert // it is one
		byTarget[target] = append(byTarget[target], op)
	}
	for _, part := range byTarget {
		parts = append(parts, part)
	}
	return parts
}

// stepSession is what an operation does to a session. A mark sees only whether it is over.
func stepSession(now standing, do action, saw standing) (bool, standing) {
	if saw.over != now.over || do != mark && !now.over && saw.generation != now.generation {
		return false, standing{}
	}
	switch {
	case do == redeem && !now.over:
		now.generation++
	case do == revoke || do == mark:
		now.over = true
	}
	return true, now
}

// stepUser is what an operation does to a user.
func stepUser(now standing, do action, saw standing) (bool, standing) {
	if do != create && saw.live != now.live {
		return false, standing{}
	}
	switch do {
	case create:
		now.live++
	case mark:
		now.live = 0
	case read, redeem, revoke:
	}
	return true, now
}

// testLinearSessions redeems, revokes by session, revokes by user, and reads.
func testLinearSessions(t *testing.T, harness Harness, clocks []time.Duration) {
	const targets = 5
	f := newFixture(t, harness, len(clocks))
	for round := range rounds.Rounds(t, 2, 6) {
		ids := make([]sid.ID, targets)
		for n := range ids {
			ids[n] = idOf(f.add(t, small(userOf(round, n))))
		}
		weights := []action{redeem, redeem, redeem, redeem, read, read, read, read, revoke, mark}
		f.linear(t, stepSession, targets, weights, func(issuer int, do action, target int) standing {
			saw, err := perform(t, f.issuers[issuer], do, ids[target], userOf(round, target))
			if err != nil {
				t.Errorf("%v: %v", do, err)
			}
			return saw
		})
	}
}

func userOf(round, n int) string { return fmt.Sprintf("user %d of round %d", n, round) }

// perform does one thing to a session, and returns how it was before.
func perform(t failer, at store.Backend, do action, id sid.ID, user string) (standing, error) {
	t.Helper()
	saw, err := decisions(t.Context(), at, do, id, user)
	if len(saw) == 0 {
		return standing{}, err
	}
	return saw[len(saw)-1], err
}

// decisions does one thing to a session, and returns how it was at each decision. The last one
// has had its effect, if there is no error.
func decisions(ctx context.Context, at store.Backend, do action, id sid.ID, user string) (saw []standing, err error) {
	look := func(s session.Snapshot) standing {
		saw = append(saw, standing{generation: s.State.Generation, over: !judge(start())(s).End.IsZero()})
		return saw[len(saw)-1]
	}
	switch do {
	case mark:
		m, err := at.Mark(ctx, markRequest(revocation.UserScope(user), start()))
		return []standing{{over: m.Ended == 0}}, err
	case read, create:
		snap, err := at.Load(ctx, session.Ref{ID: id, UserID: user})
		look(snap)
		return saw, err
	case redeem, revoke:
	}
	_, err = at.Change(ctx, target(id), func(s, _ session.Snapshot) (session.Change, error) {
		now := look(s)
		if do == revoke {
			return ending(start(), session.ReasonSignOut), nil
		}
		if now.over {
			return session.Change{}, nil
		}
		s.State.Generation++
		return session.Change{State: &s.State}, nil
	})
	return saw, err
}

// testLinearUsers creates sessions, revokes them by user, and counts them.
func testLinearUsers(t *testing.T, harness Harness, clocks []time.Duration) {
	const targets = 4
	f := newFixture(t, harness, len(clocks))
	for round := range rounds.Rounds(t, 2, 6) {
		weights := []action{create, create, read, read, mark}
		f.linear(t, stepUser, targets, weights, func(issuer int, do action, target int) (saw standing) {
			at, user, now := f.issuers[issuer], userOf(round, target), start().Add(clocks[issuer])
			switch do {
			case create:
				createAt(t, at, begun(user, now))
			case mark:
				saw.live = markAt(t, at, markRequest(revocation.UserScope(user), now)).Ended
			case read, redeem, revoke:
				saw.live = liveOf(t, at, user)
			}
			return saw
		})
	}
}

// liveOf counts the sessions of a user that are under no mark, with one query.
func liveOf(t failer, at store.Backend, user string) int {
	t.Helper()
	page, err := at.List(t.Context(), session.Query{UserID: user, Limit: plenty})
	if err != nil || !page.Next.IsZero() {
		t.Errorf("list: %v, next %s", err, page.Next)
	}
	return len(slices.DeleteFunc(page.Sessions, covered))
}

// linear lets clients do what they like to targets, at all issuers, and checks the history.
func (f *fixture) linear(
	t *testing.T, step func(standing, action, standing) (bool, standing), targets int, weights []action,
	do func(issuer int, do action, target int) standing,
) {
	t.Helper()
	h := newTimeline()
	f.clients(targets, weights, func(client int, op operation) {
		call := h.now()
		h.add(client, op, do(client%len(f.issuers), op.action, op.target), call)
	})
	h.check(t, step)
}

// clients lets clients do what they like to targets.
func (f *fixture) clients(targets int, weights []action, do func(client int, op operation)) {
	const (
		clients = 12
		each    = 16
	)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for range each {
				do(c, operation{action: weights[rand.IntN(len(weights))], target: rand.IntN(targets)})
			}
		})
	}
	wg.Wait()
}

// timeline is what clients have done.
type timeline struct {
	began time.Time

	mu         sync.Mutex
	operations []porcupine.Operation
}

func newTimeline() *timeline { return &timeline{began: time.Now()} }

func (h *timeline) now() int64 { return time.Since(h.began).Nanoseconds() }

// add adds an operation that has returned, if its effect is known; any other never returns.
func (h *timeline) add(client int, op operation, saw standing, call int64) {
	o := porcupine.Operation{ClientId: client, Input: op, Output: saw, Call: call, Return: math.MaxInt64}
	if op.known == effective {
		o.Return = h.now()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
}

func (h *timeline) check(t *testing.T, step func(standing, action, standing) (bool, standing)) {
	t.Helper()
	if result, _ := porcupine.CheckOperationsVerbose(model(step), h.operations, time.Minute); result != porcupine.Ok {
		t.Fatalf("%s; the history is %+v", result, h.operations)
	}
}

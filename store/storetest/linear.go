package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/sid"
)

// What one client does to a session, and what it is told.
type (
	action  int
	request struct {
		action action
		target int
	}
	// standing is how a session stands: in answers as it was before the action.
	standing struct {
		generation    uint32
		ended, marked bool
	}
)

const (
	redeem action = iota // advance it, unless it is over
	revoke               // end it, and put it on the list
	mark                 // put it under a mark
	read                 // look at it
)

// model is one session on its own, one action at a time.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			bySession := map[int][]porcupine.Operation{}
			for _, op := range history {
				target := op.Input.(request).target //nolint:forcetypeassert // ours
				bySession[target] = append(bySession[target], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range bySession {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return standing{} },
		Step: func(state, input, output any) (bool, any) {
			now := state.(standing) //nolint:forcetypeassert // ours
			if output != now {
				return false, nil
			}
			switch input.(request).action { //nolint:forcetypeassert // ours
			case redeem:
				if !now.ended && !now.marked {
					now.generation++
				}
			case revoke:
				now.ended, now.generation = true, 0
			case mark:
				now.marked = true
			case read:
			}
			return true, now
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	}
}

// Redeeming, revoking by session, revoking by user and reading happen at one moment each,
// between their call and their return, whatever runs beside them.
func testLinearizable(t *testing.T, open Open) {
	const (
		rounds  = 6
		clients = 12
		each    = 20
		targets = 6
	)
	f := newFixture(t, open)
	for round := range uint32(rounds) {
		ids := make([]sid.ID, targets)
		for n := range ids {
			// Marks of the round before moved the last id on.
			ids[n] = id(1000*(round+1) + uint32(n))
			f.create(t, small(ids[n], user(ids[n])))
		}
		history := f.history(t, clients, each, ids)
		result, _ := porcupine.CheckOperationsVerbose(model(), history, time.Minute)
		if result != porcupine.Ok {
			t.Fatalf("round %d: %s; the history is %+v", round, result, history)
		}
	}
}

func user(id sid.ID) string { return "user of " + id.String() }

// history lets clients do what they like and writes down what happened.
func (f *fixture) history(t *testing.T, clients, each int, ids []sid.ID) []porcupine.Operation {
	t.Helper()
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		history []porcupine.Operation
		began   = time.Now()
	)
	for c := range clients {
		wg.Go(func() {
			for range each {
				do := request{action: read, target: rand.IntN(len(ids))}
				switch n := rand.IntN(20); {
				case n < 10:
					do.action = redeem
				case n == 10:
					do.action = revoke
				case n == 11:
					do.action = mark
				}
				call := time.Since(began)
				saw, err := f.perform(t, do.action, ids[do.target])
				if err != nil {
					t.Errorf("%+v: %v", do, err)
					return
				}
				op := porcupine.Operation{
					ClientId: c, Input: do, Output: saw,
					Call: call.Nanoseconds(), Return: time.Since(began).Nanoseconds(),
				}
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return history
}

// perform does one action and returns how the session stood before it.
func (f *fixture) perform(t failer, do action, id sid.ID) (saw standing, err error) {
	look := func(r session.Reader) error {
		snap, err := r.Session(id)
		if err != nil {
			return err
		}
		m, ok, err := r.Mark(revocation.UserScope(user(id)))
		if err != nil {
			return err
		}
		saw = standing{generation: snap.State.Generation, ended: !snap.End.IsZero(), marked: ok && m.Covers(id)}
		return nil
	}
	if do == read {
		err = f.View(t.Context(), look)
	} else {
		err = f.Update(t.Context(), func(tx session.Tx) error {
			if err := look(tx); err != nil {
				return err
			}
			return act(tx, do, id, saw)
		})
	}
	if saw.ended {
		saw.generation = 0 // there is no state any more
	}
	return saw, err
}

func act(tx session.Tx, do action, id sid.ID, saw standing) error {
	switch {
	case do == redeem && !saw.ended && !saw.marked:
		return tx.SetState(id, session.State{Generation: saw.generation + 1})
	case do == revoke:
		if err := tx.End(id, session.End{At: start(), Reason: session.ReasonSignOut}); err != nil {
			return err
		}
		return tx.Revoke(listed(id, 1))
	case do == mark:
		return tx.Revoke(userMark(user(id), id, 1))
	}
	return nil
}

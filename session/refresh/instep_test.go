package refresh

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/internal/rounds"
	"issuer.example/sid"
)

const testWindow = 10 * time.Second

// world is one live session, and the place that its last advance came from.
type world struct {
	ring  *Keyring
	state State
	place string
	now   time.Time
}

func newWorld(ring *Keyring) (w *world, first string) {
	w = &world{ring: ring, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.state.RedeemedAt = w.now
	return w, w.ring.Seal(w.ring.First(sid.ID{7}))
}

// redeem redeems a token from a place now.
func (w *world) redeem(text, place string) (answer string, outcome Outcome) {
	token, err := w.ring.Open(text)
	if err != nil {
		panic(err)
	}
	d := Policy{Window: testWindow}.Redeem(w.state, Use{
		Token: token, At: w.now, Elsewhere: place != w.place, Parent: w.ring.IsParent(token, w.state),
	})
	if w.state = d.Next; d.Advances() {
		w.place = place
	}
	return w.ring.Answer(token, d), d.Outcome
}

// A thief who redeems within the window of the victim, before or after, from another place, with
// the newest of his tokens or an older one, and who leaves out generations as he likes, is noticed
// in the third generation in which he redeems.
func TestInStepIsNoticed(t *testing.T) {
	rounds.Rapid(t, 2000, 15_000)
	ring := testRing(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		w, shared := newWorld(ring)
		victim, stolen := shared, []string{shared}
		active := 0
		for {
			w.now = w.now.Add(testWindow + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "gap")))
			thief := rapid.IntRange(0, 3).Draw(t, "the thief") // 0: leaves this generation out
			if thief > 0 {
				active++
			}
			var outcomes [2]Outcome
			turns := []bool{true, false} // the victim's is true
			if thief == 1 {
				slices.Reverse(turns)
			}
			for i, ofVictim := range turns {
				switch {
				case ofVictim:
					victim, outcomes[i] = w.redeem(victim, "home")
				case thief > 0:
					token := stolen[len(stolen)-1]
					if thief == 3 {
						token = rapid.SampledFrom(stolen).Draw(t, "token")
					}
					token, outcomes[i] = w.redeem(token, "elsewhere")
					stolen = append(stolen, token)
				}
				if outcomes[i] == Reused {
					return
				}
				w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(testWindow)/2-1).Draw(t, "behind")))
			}
			if active == 3 {
				t.Fatalf("not noticed: %v", outcomes)
			}
		}
	})
}

// jar is a browser's cookie, with the requests of servers that carry copies of it and drop the
// answers.
type jar struct {
	*world
	random *rand.Rand
	token  string
	slow   []slowRequest
}

type slowRequest struct {
	token, place string
	at           time.Time // when it is processed
}

// from is where a request of the jar comes from: a carrier that changes networks, or one of the
// addresses of servers.
func (j *jar) from() string { return fmt.Sprintf("network %d", j.random.IntN(4)) }

// wait lets time pass, in which the slow requests are processed.
func (j *jar) wait(t *testing.T, d time.Duration) {
	until := j.now.Add(d)
	slices.SortFunc(j.slow, func(a, b slowRequest) int { return a.at.Compare(b.at) })
	for len(j.slow) > 0 && !j.slow[0].at.After(until) {
		r := j.slow[0]
		j.slow = j.slow[1:]
		j.now = r.at
		j.honest(t, r.token, r.place)
	}
	j.now = until
}

func (j *jar) honest(t *testing.T, token, place string) string {
	t.Helper()
	answer, outcome := j.redeem(token, place)
	if outcome == Reused {
		t.Fatalf("generation %d: an honest request is taken for a thief's; the state is %+v", j.state.Generation, j.state)
	}
	return answer
}

// One jar is never taken for two holders: its tabs refresh at once or one after the other, and
// servers render beside them and keep or drop the new cookie, from networks that change with
// each request; replies are lost, and servers are slow. As everywhere, a tab refreshes when its
// access token has expired, and a request takes less than the window.
func TestOneJarIsNoThief(t *testing.T) {
	generations := uint32(rounds.Rounds(t, 10_000, 100_000))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w, first := newWorld(testRing(t, 1))
	j := &jar{world: w, random: rand.New(rand.NewPCG(seed, 0)), token: first}
	outcomes := map[Generations]int{}
	for j.state.Generation < generations {
		start := j.now
		j.refresh(t)
		for range j.random.IntN(3) { // pages are rendered with the new cookie
			j.render(j.token, j.now)
			j.wait(t, time.Duration(j.random.Int64N(int64(testWindow))))
		}
		outcomes[j.state.Apart]++
		least := max(testWindow-j.now.Sub(start), 0)
		if j.random.IntN(2) == 0 {
			least += time.Duration(j.random.Int64N(int64(5 * time.Minute)))
		}
		j.wait(t, least)
	}
	if len(outcomes) < 4 {
		t.Errorf("the simulation is too tame: %v", outcomes)
	}
}

// refresh redeems the jar's token by up to four tabs and servers at once. Those of their replies
// that are not lost or dropped reach the jar in any order.
func (j *jar) refresh(t *testing.T) {
	token, sent := j.token, j.now
	for range 1 + j.random.IntN(4) {
		if j.random.IntN(4) == 0 {
			j.render(token, sent)
		}
		answer := j.honest(t, token, j.from())
		if j.random.IntN(6) > 0 && (j.token == token || j.random.IntN(2) == 0) {
			j.token = answer
		}
		j.wait(t, time.Duration(j.random.Int64N(int64(time.Second))))
	}
}

// render is the request for a page that was sent with a token of the jar at that time. The server
// redeems the token within the window and drops the answer.
func (j *jar) render(token string, sent time.Time) {
	took := max(time.Duration(j.random.Int64N(int64(testWindow))), j.now.Sub(sent))
	j.slow = append(j.slow, slowRequest{token, j.from(), sent.Add(took)})
}

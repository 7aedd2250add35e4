package refresh

import (
	"crypto/rand"
	"time"
)

// BranchLen is the length of a [Branch] in bytes.
const BranchLen = 10

// Branch tells apart tokens of one generation.
type Branch [BranchLen]byte

// RandomBranch returns a branch that no other token has.
func RandomBranch() (b Branch) {
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return b
}

// State is what redeeming changes. Its size does not depend on how often that was.
type State struct {
	Generation uint32    // G: the generation of the newest redeemed token; 0 before the first
	Branch     Branch    // R: that token's branch
	KeyID      byte      // the key that the token was sealed under
	RedeemedAt time.Time // T: when it was first redeemed; before the first, when the session began
	Apart      Generations
}

// Generations says in which of the last generations another branch was used from elsewhere: the
// lowest bit stands for the current one, the next for the one before, and so on.
type Generations uint8

const (
	apartNow Generations = 1 << iota
	apartOneBefore
	apartTwoBefore
	apartEnd

	// MaxGenerations is the greatest value of Generations.
	MaxGenerations = apartEnd - 1
)

// before reports whether it happened in one of the two generations before this one.
func (g Generations) before() bool { return g&(apartOneBefore|apartTwoBefore) != 0 }

// after returns what is still known of it so many generations later.
func (g Generations) after(n int64) Generations {
	return g << min(n, 8) & MaxGenerations
}

// Claimed returns the state of a session whose hand-off code was claimed at that time. The
// client gets the [Keyring.Child] of that state. The branch should be a [RandomBranch].
func (r *Keyring) Claimed(branch Branch, at time.Time) State {
	return State{Generation: 1, Branch: branch, KeyID: r.keys()[0].id, RedeemedAt: at}
}

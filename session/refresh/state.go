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
}

// Claimed returns the state of a session whose hand-off code was claimed at that time. The
// client gets the [Keyring.Child] of that state. The branch should be a [RandomBranch].
func (r *Keyring) Claimed(branch Branch, at time.Time) State {
	return State{Generation: 1, Branch: branch, KeyID: r.keys()[0].id, RedeemedAt: at}
}

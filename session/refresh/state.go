package refresh

import "time"

// BranchLen is the length of a [Branch] in bytes.
const BranchLen = 10

// Branch tells apart tokens of one generation.
type Branch [BranchLen]byte

// State is what redeeming changes. Its size does not depend on how often that was.
type State struct {
	Generation uint32    // G: the generation of the newest redeemed token; 0 before the first
	Branch     Branch    // R: that token's branch
	KeyID      byte      // the key that the token was sealed under
	RedeemedAt time.Time // T: when it was first redeemed; before the first, when the session began
}

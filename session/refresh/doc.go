// Package refresh is the refresh protocol without its storage: refresh tokens, hand-off
// codes and the redeem table. It reads no clock and no store.
//
// A [Keyring] seals and opens tokens and codes. [Policy.Redeem] is the redeem table: given
// the [State] of a live session and a token that was presented, it decides what the answer
// is and what the state becomes. [Keyring.Answer] makes the token of that answer.
//
// Within the concurrency window a second holder looks like a second tab. The table therefore
// also asks where a token is used ([Use.Elsewhere]): who is elsewhere gets a branch of their
// own, and using such branches in several generations is reuse.
//
// A refresh token is self-describing and authenticated, so that no row per token exists:
// the state has the same size however often its session refreshes.
package refresh

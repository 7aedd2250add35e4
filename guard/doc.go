// Package guard verifies the access tokens of an issuer in a Go service, and learns within
// a second when a session has been revoked.
//
// [New] discovers the issuer, fetches its keys and its list of revoked sessions, and
// follows its feed from then on. After that no request waits for the network:
// [Guard.Verify] checks a token against what is in memory. [Guard.Middleware] does so for
// net/http, and [Guard.Require] for a route that asks for more: a scope, a recent
// authentication ([RequireFresh]), a class of it ([RequireACR]), another policy
// ([WhenStale]). Behind them [FromContext] has the claims.
//
// # What callers must know
//
//   - A guard that has heard nothing from the issuer for [Config].MaxStaleness can't know
//     what has been revoked since. Its [Policy] says what it does with good tokens then.
//   - What it can't use it refuses, and keeps the last good keys and list: a forged,
//     replayed, reordered or truncated feed, a key set that is empty or malformed.
//     [Guard.Stats] says what was wrong.
//   - A token that was seen before costs a look-up instead of a signature check. Its times,
//     its key and its session are judged anew each time.
//   - The claims that it returns are for reading. Their maps and slices are shared among
//     requests with the same token.
//   - A guard accepts one issuer. A service that trusts two has two guards.
//
// Package guardtest is an issuer for the tests of services that use a guard.
package guard

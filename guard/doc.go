// Package guard verifies the access tokens of an issuer in a Go service, and refuses those
// of a revoked session within a second of the revocation.
//
// [New] reads the issuer's metadata, its keys and its list of revoked sessions, and follows
// its feed from then on. If the issuer is down it starts without it, and obeys the policy
// for a stale list; with [Config].StateFile it resumes from the last list. [Guard.Verify]
// checks a token against what is in memory, so requests do not wait for the network.
// [Guard.Middleware] does the same for net/http. [Guard.Require] is for routes that require more: a scope ([RequireScope]), a recent
// authentication ([RequireFresh]), a class of authentication ([RequireACR]), or another
// policy ([WhenStale]). Handlers get the claims from [FromContext].
//
// # What callers must know
//
//   - If the issuer has not confirmed the list for [Config].MaxStaleness, the list is stale:
//     sessions may have been revoked that are not on it. The [Policy] says what happens to
//     good tokens then.
//   - A feed that is forged, replayed, reordered or truncated is refused, and so is a key set
//     that is empty or malformed. The guard keeps the last good list and keys, and
//     [Guard.Stats] says what was wrong.
//   - A token in the cache costs a look-up instead of a signature check. Its times, its key
//     and its session are checked at each use.
//   - Do not change what the maps and slices of the returned claims hold: requests with the
//     same token share them.
//   - A guard accepts the tokens of one issuer. A service that trusts two issuers makes two
//     guards.
//
// Package guardtest is an issuer for the tests of services that use a guard.
package guard

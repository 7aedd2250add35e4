// Package bench measures the whole program from outside: durable refreshes over HTTP,
// compared with a bare Echo server, get-session, compared with the original better-auth
// server, and the revocation feed.
//
//	make bench-http bench-betterauth bench-feed
//
// Each result is a median over several rounds. The two that are compared alternate, because
// machines are shared and their speed varies. docs/performance.md has the results.
package bench

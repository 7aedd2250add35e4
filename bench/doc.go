// Package bench measures the whole program from outside: durable refreshes over HTTP
// beside what a bare Echo answers on the same machine in the same run, get-session beside
// the original better-auth server, and the revocation feed.
//
//	make bench-http bench-betterauth bench-feed
//
// Each figure is a median over several rounds in which the two take turns, because
// machines are shared and their speed drifts. docs/performance.md has the results.
package bench

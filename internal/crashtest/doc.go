// Package crashtest breaks the built program while clients use it: it kills and stops it,
// and makes its disk fail, run full or be slow. The tests check one promise: what the
// program has acknowledged is neither lost nor undone.
//
// Each client (actor) records what it knows of its sessions (tracked) and checks every
// answer against that. A request without an answer may have taken effect or not; the next
// answer that depends on it shows which.
//
// Several issuers that share a PostgreSQL database (cluster) are held to the same: the clients
// send each request to another one, and go on at any of them when one is gone. Issuers and
// servers are killed, connections are cut, a standby is promoted; and a guard follows whichever
// issuer answers. `make test-failover` does the last fifty times, also under Patroni.
//
// The tests need Linux, strace and PostgreSQL. Outside CI they run fewer rounds: see internal/rounds.
//
// CRASHTEST_SEED repeats the random choices of an earlier run, but not its timing.
// CRASHTEST_KILLS is how many times the kill tests kill, and CRASHTEST_FAILOVERS how many times
// the failover tests do. With CRASHTEST_STRICT=1 the time until issuers serve again is checked,
// which needs a machine that does nothing else.
package crashtest

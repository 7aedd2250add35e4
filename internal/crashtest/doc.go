// Package crashtest breaks the built program while clients use it: it kills and stops it,
// and makes its disk fail, run full or be slow. The tests check one promise: what the
// program has acknowledged is neither lost nor undone.
//
// Each client (actor) records what it knows of its sessions (tracked) and checks every
// answer against that. A request without an answer may have taken effect or not; the next
// answer that depends on it shows which.
//
// The tests need Linux and strace. Outside CI they run fewer rounds: see internal/rounds.
//
// CRASHTEST_SEED repeats the random choices of an earlier run, but not its timing.
// CRASHTEST_KILLS is how many times the kill test kills.
package crashtest

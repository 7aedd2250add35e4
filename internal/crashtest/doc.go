// Package crashtest holds the tests that break the built program while clients use it: it
// is killed, told to stop, and has its disk fail or run full. They hold it to one promise:
// what it has acknowledged is neither lost nor undone.
//
// Each client (actor) keeps what it knows of its sessions (held) and checks every answer
// against that. An operation without an answer leaves it open whether it took place; the
// next answer that depends on it settles the matter.
//
// The tests run on Linux: they break things by its means.
//
// CRASHTEST_SEED repeats the choices of an earlier run, not the moments at which they
// meet. CRASHTEST_KILLS is how often the kill test kills.
package crashtest

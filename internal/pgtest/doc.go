// Package pgtest runs real PostgreSQL servers for tests.
//
// [Shared] is the server that the tests of one program share: it is quick, and safe against nothing. [Start] is a
// server of one test, which keeps what it acknowledges and may be killed. The program of the server is found on the
// PATH or where Debian installs it; root runs it as an ordinary user.
//
// All files are in one temporary folder. A watcher, a process of its own, ends the servers and removes the folder when
// the test program ends, in whatever way.
package pgtest

// Package e2e holds the tests that drive the built program from outside, over HTTP and by
// its commands, as a user's scripts do.
package e2e

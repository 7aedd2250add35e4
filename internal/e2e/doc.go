// Package e2e tests the built program from outside: over HTTP, and by its commands.
package e2e

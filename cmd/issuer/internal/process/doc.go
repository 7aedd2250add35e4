// Package process sets the limits of the issuer's own process, and reads them.
//
// The issuer runs on Linux, macOS and the BSDs: its store needs flock(2), and its files need
// the permissions of Unix. On every other system the build stops here and says so.
package process

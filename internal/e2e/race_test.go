//go:build race

package e2e_test

// raceDetector: the program is built with the race detector when the tests are.
const raceDetector = true

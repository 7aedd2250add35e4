//go:build linux && race

package crashtest_test

// raceDetector: the program is built with the race detector when the tests are.
const raceDetector = true

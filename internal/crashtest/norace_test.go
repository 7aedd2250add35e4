//go:build linux && !race

package crashtest_test

// raceDetector: see race_test.go.
const raceDetector = false

// Package weak has tests that check it in part only.
package weak

import "errors"

// ErrRange means that a number is out of range.
var ErrRange = errors.New("out of range")

// Check accepts numbers up to 9. The tests try neither 9 nor 10.
func Check(n int) error {
	if n > 9 {
		return ErrRange
	}
	return nil
}

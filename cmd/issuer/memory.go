package main

import "runtime/debug"

// gcPercent lets the heap grow to five times what lives on it before it is collected.
// What lives there is some ten megabytes, however many sessions there are, so Go's own
// choice would collect many times a second under load; this costs some thirty megabytes
// and gives a tenth of the processor back.
const gcPercent = 400

// tuneMemory sets gcPercent, unless the operator has set GOGC or GOMEMLIMIT.
func (a *app) tuneMemory() {
	if a.variable("GOGC") == "" && a.variable("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

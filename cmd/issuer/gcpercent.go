package main

import "runtime/debug"

// gcPercent lets the heap grow to five times its live size before a collection. The live
// heap is some ten megabytes however many sessions there are, so Go's default would collect
// many times a second under load. This costs about thirty megabytes and saves a tenth of the
// processor.
const gcPercent = 400

// setGCPercent applies gcPercent, unless the operator has set GOGC or GOMEMLIMIT.
func (a *app) setGCPercent() {
	if a.variable("GOGC") == "" && a.variable("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

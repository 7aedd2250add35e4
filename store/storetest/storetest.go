// Package storetest is the conformance suite of store back ends. [Run] runs it: each back
// end passes all of it, and no part can be left out. A back end whose data outlives more
// than one kind of crash passes [RunDurable] with each of them.
//
// The suite asks for the behaviour that the interfaces in package store promise, and for
// nothing else: a back end chooses its files or tables, its identifiers and its batches.
// What belongs to one back end, such as damaged files, is tested there.
//
// The parts, each in a file of its own: sessions (create, limit, list, change, holder),
// marks and the notice that verifiers get of them (marks, issuers, notice), upkeep (sweep),
// the journal of facts (journal, watch), durability (durable), keys, contexts and closing
// (context), linearizability (linear), a comparison with a reference implementation
// (model, reference), and the invariants of refreshing (protocol).
package storetest

import (
	"maps"
	"slices"
	"testing"

	"issuer.example/internal/rounds"
)

// Run runs the whole suite.
func Run(t *testing.T, harness Harness) {
	t.Helper()
	RunParts(t, harness, slices.Sorted(maps.Keys(parts()))...)
}

// RunParts runs parts of the suite, for a back end that has passed all of it and is now used in another way.
func RunParts(t *testing.T, harness Harness, names ...string) {
	t.Helper()
	limitCases(t)
	for _, name := range names {
		test, ok := parts()[name]
		if !ok {
			t.Fatalf("the suite has no part %q", name)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, harness)
		})
	}
}

func parts() map[string]func(*testing.T, Harness) {
	return map[string]func(*testing.T, Harness){
		"Create":   testCreate,
		"Limit":    testLimit,
		"List":     testList,
		"Change":   testChange,
		"Holder":   testHolder,
		"Mark":     testMark,
		"Issuers":  testIssuers,
		"Notice":   testNotice,
		"Sweep":    testSweep,
		"Journal":  testJournal,
		"Watch":    testWatch,
		"Durable":  RunDurable,
		"Keys":     testKeys,
		"Context":  testContext,
		"Linear":   testLinear,
		"Model":    RunModel,
		"Protocol": RunProtocol,
	}
}

// limitCases sets how many cases a property test tries while t runs. Each opens a store.
func limitCases(t *testing.T) {
	t.Helper()
	rounds.Rapid(t, 15, 100)
}

// subtests runs the parts of one of the suite's tests.
func subtests(t *testing.T, harness Harness, parts map[string]func(*testing.T, Harness)) {
	t.Helper()
	for name, part := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, harness)
		})
	}
}

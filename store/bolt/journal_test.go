package bolt_test

import (
	"testing"

	"issuer.example/store/bolt"
	"issuer.example/store/storetest"
)

// TestConformanceSmallJournal runs the suite on a store that is forever sealing, folding
// and emptying its journals.
func TestConformanceSmallJournal(t *testing.T) {
	storetest.Run(t, harness(bolt.Config.Small))
}

package credential_test

import (
	"testing"

	"issuer.example/handlers/credential"
)

// TestFailuresAreForgotten is row H15: guessing from ever new addresses does not fill the memory.
func TestFailuresAreForgotten(t *testing.T) {
	if kept, most := credential.CountFailures(100_000); kept > most || most > 10_000 {
		t.Errorf("%d sources are kept, want at most %d", kept, most)
	}
}

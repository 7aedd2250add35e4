package weak_test

import (
	"testing"

	"issuer.example/internal/mutants/testdata/weak"
)

func TestCheck(t *testing.T) {
	if weak.Check(5) != nil || weak.Check(12) == nil {
		t.Error("Check")
	}
}

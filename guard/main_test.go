package guard_test

import (
	"os"
	"testing"

	"issuer.example/internal/rounds"
)

func TestMain(m *testing.M) {
	rounds.Parallel(8)
	os.Exit(m.Run())
}

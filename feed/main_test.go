package feed_test

import (
	"os"
	"testing"

	"issuer.example/internal/rounds"
)

func TestMain(m *testing.M) {
	rounds.TempInMemory()
	os.Exit(m.Run())
}

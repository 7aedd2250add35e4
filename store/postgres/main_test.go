package postgres_test

import (
	"testing"

	"issuer.example/internal/pgtest"
	"issuer.example/internal/rounds"
)

func TestMain(m *testing.M) {
	rounds.QuickInCI()
	pgtest.Main(m)
}

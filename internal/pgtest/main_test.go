package pgtest_test

import (
	"testing"

	"issuer.example/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

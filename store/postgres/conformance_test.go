package postgres_test

import (
	"testing"

	"issuer.example/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, onShared(func(*database) {}))
}

// What is acknowledged outlives the end of the server.
func TestDurableOnServersOfTheirOwn(t *testing.T) {
	storetest.RunDurable(t, onServerOfItsOwn)
}

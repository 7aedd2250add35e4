package archtest

// storeLaw returns the rules of the stores.
func storeLaw() map[string]Rule {
	return map[string]Rule{
		"store":      {Ours: []string{"fact", "keys", "revocation", "session", "sid"}},
		"store/move": {Ours: []string{"fact", "keys", "sid", "store"}},
		"store/bolt": {
			Ours: []string{
				"fact", "keys", "revocation", "session", "session/refresh", "sid", "store",
				"store/bolt/internal/file", "store/bolt/internal/journal",
			},
			Doors: []string{"go.etcd.io/bbolt", "github.com/fxamacker/cbor/v2"},
		},
		"store/bolt/internal/file":    {Doors: []string{"go.etcd.io/bbolt", "golang.org/x/sys"}},
		"store/bolt/internal/journal": {Ours: []string{"sid"}, Doors: []string{"go.etcd.io/bbolt"}},
		"store/postgres": {
			Ours: []string{"fact", "feed", "internal/keyfile", "keys", "revocation", "session", "session/refresh", "sid", "store"},
			Doors: []string{
				"github.com/hashicorp/golang-lru/v2", "github.com/jackc/pgx/v5", "github.com/jackc/puddle/v2", "github.com/pressly/goose/v3",
			},
		},
		"store/storetest": {
			Ours:  []string{"fact", "internal/rounds", "jwt", "keys", "revocation", "session", "session/refresh", "sid", "store"},
			Doors: []string{"github.com/google/go-cmp", "pgregory.net/rapid", "github.com/anishathalye/porcupine"},
		},
	}
}

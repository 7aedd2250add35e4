package archtest

// TestLibraries are what any test may import.
func TestLibraries() []string {
	return []string{"github.com/google/go-cmp", "pgregory.net/rapid", "github.com/anishathalye/porcupine"}
}

// Law is who may import whom in this repository.
//
// jwx's own jwt package is banned: it is beneath no door.
func Law() map[string]Rule {
	return map[string]Rule{
		"sid":    {},
		"secret": {},
		"jwt":    {Doors: []string{"github.com/golang-jwt/jwt/v5"}},
		"keys": {
			Ours: []string{"jwt", "secret"},
			Doors: []string{
				"github.com/lestrrat-go/jwx/v2/jwa", "github.com/lestrrat-go/jwx/v2/jwe", "github.com/lestrrat-go/jwx/v2/jwk",
			},
		},
		"revocation":      {Ours: []string{"jwt", "sid"}},
		"fact":            {Ours: []string{"revocation", "sid"}},
		"session/refresh": {Ours: []string{"sid"}},
		"session": {
			Ours:  []string{"fact", "jwt", "revocation", "session/refresh", "sid"},
			Doors: []string{"github.com/mileusna/useragent"},
		},
		"store": {Ours: []string{"fact", "keys", "session"}},
		"store/bolt": {
			Ours: []string{
				"fact", "keys", "revocation", "session", "sid", "store",
				"store/bolt/internal/file", "store/bolt/internal/journal",
			},
			Doors: []string{"go.etcd.io/bbolt", "github.com/fxamacker/cbor/v2"},
		},
		"store/bolt/internal/file":    {Doors: []string{"go.etcd.io/bbolt", "golang.org/x/sys"}},
		"store/bolt/internal/journal": {Ours: []string{"sid"}, Doors: []string{"go.etcd.io/bbolt"}},
		"store/storetest": {
			Ours:  []string{"fact", "internal/rounds", "jwt", "keys", "revocation", "session", "session/refresh", "sid", "store"},
			Doors: []string{"github.com/google/go-cmp", "pgregory.net/rapid", "github.com/anishathalye/porcupine"},
		},
		"guard":           {Ours: []string{"jwt", "revocation", "sid"}},
		"guard/guardtest": {Ours: []string{"guard", "jwt", "revocation", "sid"}},
		"feed":            {Ours: []string{"jwt", "revocation", "sid"}},
		"handlers": {
			Ours: []string{"feed", "jwt", "keys", "revocation", "session", "sid", "web"},
			Doors: []string{
				"github.com/labstack/echo/v4", "github.com/go-json-experiment/json",
				"golang.org/x/time", "github.com/hashicorp/golang-lru/v2",
			},
			TestDoors: []string{"github.com/getkin/kin-openapi"},
		},
		"web": {},
		"metrics": {
			Ours:  []string{"fact", "feed", "handlers", "keys", "session"},
			Doors: []string{"github.com/prometheus/client_golang"},
		},
		"cmd/issuer": {
			Ours: []string{
				"cmd/issuer/internal/adminapi", "cmd/issuer/internal/config", "cmd/issuer/internal/credential",
				"cmd/issuer/internal/server", "secret", "store/bolt",
			},
			Doors: []string{"github.com/spf13/cobra"},
		},
		"cmd/issuer/internal/adminapi": {},
		"cmd/issuer/internal/config": {
			Ours:  []string{"secret"},
			Doors: []string{"github.com/knadh/koanf", "go.yaml.in/yaml/v3"},
		},
		"cmd/issuer/internal/credential": {},
		"cmd/issuer/internal/server": {
			Ours: []string{
				"cmd/issuer/internal/config", "feed", "handlers", "jwt", "keys", "metrics", "secret", "session",
				"session/refresh", "store/bolt",
			},
			Doors: []string{"golang.org/x/net"},
		},
		// bench compares with a bare Echo.
		"bench":              {TestDoors: []string{"github.com/labstack/echo/v4"}},
		"internal/archtest":  {},
		"internal/crashtest": {},
		"internal/e2e":       {},
		"internal/interop":   {},
		"internal/mutants":   {},
		"internal/program":   {},
		"internal/rounds":    {},
	}
}

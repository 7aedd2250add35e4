package archtest

import "maps"

// TestLibraries are the third-party modules that any test may import.
func TestLibraries() []string {
	return []string{"github.com/google/go-cmp", "pgregory.net/rapid", "github.com/anishathalye/porcupine"}
}

// SharedLibraries are the third-party modules that several packages may import: their types stay within each of them.
func SharedLibraries() []string { return []string{"github.com/hashicorp/golang-lru/v2"} }

// Law is the table of which package may import which.
//
// No rule allows jwx's own package jwt: tokens are made and verified by ours.
func Law() map[string]Rule {
	law := map[string]Rule{
		"sid":    {},
		"secret": {Ours: []string{"internal/keyfile"}},
		"client": {},
		"jwt":    {Doors: []string{"github.com/golang-jwt/jwt/v5"}},
		"keys": {
			Ours: []string{"jwt", "secret"},
			Doors: []string{
				"github.com/lestrrat-go/jwx/v2/jwa", "github.com/lestrrat-go/jwx/v2/jwe", "github.com/lestrrat-go/jwx/v2/jwk",
			},
		},
		"revocation":      {Ours: []string{"jwt", "sid"}},
		"revocation/list": {Ours: []string{"revocation", "sid"}},
		"fact":            {Ours: []string{"revocation", "sid"}},
		"session/refresh": {Ours: []string{"sid"}},
		"session": {
			Ours:  []string{"fact", "jwt", "revocation", "session/refresh", "sid"},
			Doors: []string{"github.com/mileusna/useragent"},
		},
		"guard":           {Ours: []string{"jwt", "revocation", "revocation/list", "sid"}},
		"guard/guardtest": {Ours: []string{"guard", "internal/memnet", "jwt", "revocation", "sid"}},
		"feed":            {Ours: []string{"jwt", "revocation", "sid"}},
		"web":             {},
		"metrics": {
			Ours:  []string{"fact", "feed", "keys", "session"},
			Doors: []string{"github.com/prometheus/client_golang"},
		},
		// bench compares with a bare Echo.
		"bench":                 {TestDoors: []string{"github.com/labstack/echo/v4"}},
		"internal/archtest":     {},
		"internal/crashtest":    {TestDoors: []string{"github.com/jackc/pgx/v5"}},
		"internal/e2e":          {},
		"internal/interop":      {},
		"internal/keyfile":      {},
		"internal/mutants":      {},
		"internal/pgtest":       {},
		"internal/program":      {Ours: []string{"client", "secret"}},
		"internal/memnet":       {},
		"internal/relay":        {},
		"internal/relay/relayd": {Ours: []string{"internal/relay"}},
		"internal/rounds":       {},
	}
	maps.Copy(law, commandLaw())
	maps.Copy(law, storeLaw())
	maps.Copy(law, handlersLaw())
	return law
}

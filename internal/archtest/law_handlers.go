package archtest

// handlersLaw returns the rules of the HTTP interface: the audiences build on credential and exchange, and
// never import each other.
func handlersLaw() map[string]Rule {
	return map[string]Rule{
		"handlers/exchange": {
			Ours:  []string{"jwt", "keys", "session", "sid"},
			Doors: []string{"github.com/labstack/echo/v4", "github.com/go-json-experiment/json"},
		},
		"handlers/credential": {
			Ours:  []string{"client", "handlers/exchange", "jwt", "session", "session/refresh", "sid"},
			Doors: []string{"golang.org/x/time", "github.com/hashicorp/golang-lru/v2"},
		},
		"handlers/sessionjson": {Ours: []string{"handlers/exchange", "session", "sid"}},
		"handlers/v1": {
			Ours: []string{"client", "handlers/credential", "handlers/exchange", "handlers/sessionjson", "session", "sid"},
		},
		"handlers/betterauth": {Ours: []string{"handlers/credential", "handlers/exchange", "keys", "session", "sid"}},
		"handlers/oauth":      {Ours: []string{"client", "handlers/credential", "handlers/exchange", "session"}},
		"handlers/revocations": {
			Ours: []string{"client", "feed", "handlers/credential", "handlers/exchange", "keys", "revocation"},
		},
		"handlers/account": {Ours: []string{"handlers/credential", "handlers/exchange", "session", "sid", "web"}},
		"handlers/admin": {
			Ours: []string{
				"client", "fact", "feed", "handlers/credential", "handlers/exchange", "handlers/sessionjson", "jwt", "keys", "session",
			},
		},
		"handlers/wellknown": {Ours: []string{"handlers/exchange", "keys"}},
		"handlers": {
			Ours: []string{
				"client", "fact", "feed", "handlers/account", "handlers/admin", "handlers/betterauth", "handlers/credential",
				"handlers/exchange", "handlers/oauth", "handlers/revocations", "handlers/v1", "handlers/wellknown",
				"keys", "session",
			},
			TestDoors: []string{"github.com/getkin/kin-openapi"},
		},
	}
}

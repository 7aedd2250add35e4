package archtest

// commandLaw returns the rules of the program, which wires the others.
func commandLaw() map[string]Rule {
	return map[string]Rule{
		"cmd/issuer": {
			Ours: []string{
				"client", "cmd/issuer/internal/adminapi", "cmd/issuer/internal/config",
				"cmd/issuer/internal/logging", "cmd/issuer/internal/process", "cmd/issuer/internal/server", "handlers/origin", "internal/keyfile", "secret",
				"store", "store/bolt", "store/move", "store/postgres",
			},
			Doors: []string{"github.com/spf13/cobra", "github.com/schollz/progressbar/v3"},
		},
		"cmd/issuer/internal/adminapi": {},
		"cmd/issuer/internal/config": {
			Ours:  []string{"client", "handlers/origin", "internal/keyfile", "secret"},
			Doors: []string{"go.yaml.in/yaml/v3"},
		},
		"cmd/issuer/internal/logging": {},
		"cmd/issuer/internal/process": {},
		"cmd/issuer/internal/server": {
			Ours: []string{
				"client", "cmd/issuer/internal/config", "fact", "feed", "handlers", "jwt", "keys", "metrics", "secret", "session", "session/refresh", "store", "store/bolt", "store/postgres",
			},
			TestDoors: []string{"golang.org/x/net"},
		},
	}
}

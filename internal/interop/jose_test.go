//go:build interop

package interop_test

import "issuer.example/jwt"

// node20 returns an error for a Node older than 20.
var node20 = []string{"node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"}

func jose() verifier {
	return verifier{
		name:       "jose",
		folder:     "jose",
		needs:      []string{"node", "npm"},
		probe:      node20,
		prepare:    [][]string{{"npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"}},
		command:    []string{"node", "main.js"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
	}
}

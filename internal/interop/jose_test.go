//go:build interop

package interop_test

import "issuer.example/jwt"

func jose() verifier {
	return verifier{
		name:       "jose",
		folder:     "jose",
		needs:      []string{"node", "npm"},
		prepare:    [][]string{{"npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"}},
		command:    []string{"node", "main.js"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
	}
}

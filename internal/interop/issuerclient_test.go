//go:build interop

package interop_test

import (
	"testing"

	"issuer.example/jwt"
)

// issuerClient is issuer-client/verify, which follows the feed.
func issuerClient() verifier {
	const client = "../../../clients/typescript"
	return verifier{
		name:   "issuer-client/verify",
		folder: "issuerclient",
		needs:  []string{"node", "npm"},
		probe:  node20,
		prepare: [][]string{
			{"npm", "--prefix", client, "ci", "--no-audit", "--no-fund", "--loglevel=error"},
			{"npm", "--prefix", client, "run", "build"},
		},
		command:             []string{"node", "main.js"},
		environ:             func(_ *testing.T, i *issuer) []string { return []string{"SERVICE_KEY=" + i.serviceKey} },
		algorithms:          []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
		learnsOfRevocations: true,
	}
}

//go:build interop

package interop_test

import "issuer.example/jwt"

func goOIDC() verifier {
	return verifier{
		name:       "coreos/go-oidc",
		folder:     "golang",
		needs:      []string{"go"},
		prepare:    [][]string{{"go", "build", "-o", "bin/", "./gooidc"}},
		command:    []string{"bin/gooidc"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
	}
}

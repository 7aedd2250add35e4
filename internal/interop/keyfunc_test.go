//go:build interop

package interop_test

import "issuer.example/jwt"

func keyfunc() verifier {
	return verifier{
		name:       "MicahParks/keyfunc",
		folder:     "golang",
		needs:      []string{"go"},
		prepare:    [][]string{{"go", "build", "-o", "bin/", "./keyfunc"}},
		command:    []string{"bin/keyfunc"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.EdDSA, jwt.RS256},
	}
}

//go:build interop

package interop_test

import "issuer.example/jwt"

func expressJWT() verifier {
	return verifier{
		name:    "express-jwt and jwks-rsa",
		folder:  "expressjwt",
		needs:   []string{"node", "npm"},
		probe:   node20,
		prepare: [][]string{{"npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"}},
		command: []string{"node", "main.js"},
		// jsonwebtoken, which express-jwt uses, does not support EdDSA.
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.RS256},
	}
}

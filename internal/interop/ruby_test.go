//go:build interop

package interop_test

import "issuer.example/jwt"

func rubyJWT() verifier {
	return verifier{
		name:       "ruby-jwt",
		folder:     "ruby",
		needs:      []string{"ruby"},
		probe:      []string{"ruby", "-e", `require "jwt"; require "webrick"`},
		command:    []string{"ruby", "whoami.rb"},
		algorithms: []jwt.Algorithm{jwt.ES256, jwt.RS256},
	}
}

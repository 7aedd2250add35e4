package credential

import (
	"strings"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
)

const authorization = "Authorization"

// bearerToken returns the token of the Authorization header, or "" if there is no such header
// (RFC 6750 §2.1). Another scheme than Bearer is refused.
func bearerToken(x *exchange.Exchange) (string, error) {
	headers := x.Request().Header[authorization]
	switch {
	case len(headers) == 0:
		return "", nil
	case len(headers) > 1 || strings.ContainsAny(headers[0], "\t,") || strings.Count(headers[0], " ") > 1:
		return "", exchange.Invalid("The request must have exactly one credential.")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", unauthorized("The scheme must be Bearer.")
	}
	if token == "" {
		return "", exchange.Invalid("The Authorization header has no token.")
	}
	return token, nil
}

// unauthorized refuses a request that has no credential of the kind that is needed.
func unauthorized(detail string) error {
	return &exchange.Refusal{Code: exchange.CodeTokenInvalid, Detail: detail, NoCredential: true}
}

// hasServiceKey reports whether the bearer token is meant to be a service key.
func hasServiceKey(x *exchange.Exchange) bool {
	scheme, token, _ := strings.Cut(x.Request().Header.Get(authorization), " ")
	return strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(token, client.KeyPrefix)
}

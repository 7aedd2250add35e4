package wellknown

import (
	"net/http"
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/keys"
)

// keySet answers with the public keys. It is the only answer that may be cached.
func (h *Handlers) keySet(x *exchange.Exchange) error {
	return exchange.AnswerKeySet(x, h.cfg.Keys.JWKS(), "application/jwk-set+json")
}

// metadata is what RFC 8414 and OpenID Connect Discovery publish about an issuer. There is no
// authorization endpoint: backends authenticate users and mint.
type metadata struct {
	Issuer                string   `json:"issuer"`
	JWKS                  string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	Revocations           string   `json:"revocations_endpoint,omitzero"`
	RevocationsStream     string   `json:"revocations_stream_endpoint,omitzero"`
	Claims                []string `json:"claims_supported"`
	Documentation         string   `json:"service_documentation"`
}

func (h *Handlers) metadata(x *exchange.Exchange) error {
	issuer := h.cfg.Issuer
	m := metadata{
		Issuer: issuer, JWKS: issuer + "/.well-known/jwks.json",
		ResponseTypes: []string{}, GrantTypes: []string{}, SubjectTypes: []string{"public"},
		Algorithms:            h.algorithms(),
		IntrospectionEndpoint: issuer + "/oauth/introspect",
		IntrospectionAuth:     []string{"client_secret_basic", "client_secret_post", "bearer"},
		RevocationEndpoint:    issuer + "/oauth/revoke",
		RevocationAuth:        []string{"none", "client_secret_basic", "client_secret_post", "bearer"},
		Claims: []string{
			"iss", "sub", "aud", "exp", "iat", "jti", "sid", "auth_time", "amr", "acr", "client_id", "scope",
		},
		Documentation: issuer + "/openapi.yaml",
	}
	if h.cfg.Feed {
		m.Revocations = issuer + "/v1/revocations"
		m.RevocationsStream = m.Revocations + "/stream"
	}
	return x.JSON(http.StatusOK, m)
}

// algorithms returns those of the published keys, each once.
func (h *Handlers) algorithms() []string {
	algorithms := []string{}
	for _, k := range h.cfg.Keys.List() {
		if alg := string(k.Algorithm); k.State != keys.Gone && !slices.Contains(algorithms, alg) {
			algorithms = append(algorithms, alg)
		}
	}
	return algorithms
}

package handlers

import (
	_ "embed"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/keys"
)

// openAPI describes every route and answer of this package.
//
//go:embed openapi.yaml
var openAPI []byte

func (s *Server) describe(x *exchange) error {
	return x.Blob(http.StatusOK, "application/yaml", openAPI)
}

// jwks answers with the public keys. It is the only answer that may be kept.
func (s *Server) jwks(x *exchange) error { return s.keySet(x, "application/jwk-set+json") }

func (s *Server) keySet(x *exchange, mediaType string) error {
	doc := s.cfg.Keys.JWKS()
	h := x.header()
	h.Set(echo.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(doc.MaxAge/time.Second)))
	h.Set("ETag", doc.ETag)
	if matches(x.Request().Header.Values("If-None-Match"), doc.ETag) {
		return x.NoContent(http.StatusNotModified)
	}
	return x.Blob(http.StatusOK, mediaType, doc.Body)
}

// matches reports whether If-None-Match names the tag (RFC 9110 §13.1.2).
func matches(headers []string, etag string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag == etag {
				return true
			}
		}
	}
	return false
}

// metadata is what RFC 8414 and OpenID Connect Discovery publish of an issuer. There is
// no authorization endpoint: backends authenticate users and mint.
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

func (s *Server) metadata(x *exchange) error {
	m := metadata{
		Issuer: s.cfg.Issuer, JWKS: s.cfg.Issuer + "/.well-known/jwks.json",
		ResponseTypes: []string{}, GrantTypes: []string{}, SubjectTypes: []string{"public"},
		Algorithms:            s.algorithms(),
		IntrospectionEndpoint: s.cfg.Issuer + "/oauth/introspect",
		IntrospectionAuth:     []string{"client_secret_basic", "bearer"},
		RevocationEndpoint:    s.cfg.Issuer + "/oauth/revoke",
		RevocationAuth:        []string{"none"},
		Claims: []string{
			"iss", "sub", "aud", "exp", "iat", "jti", "sid", "auth_time", "amr", "acr", "client_id",
		},
		Documentation: s.cfg.Issuer + "/openapi.yaml",
	}
	if s.cfg.Feed != nil {
		m.Revocations = s.cfg.Issuer + "/v1/revocations"
		m.RevocationsStream = m.Revocations + "/stream"
	}
	return writeJSON(x, http.StatusOK, m)
}

// algorithms are those of the published keys.
func (s *Server) algorithms() []string {
	found := []string{}
	seen := make(map[string]bool)
	for _, k := range s.cfg.Keys.List() {
		if alg := string(k.Algorithm); k.State != keys.Gone && !seen[alg] {
			seen[alg] = true
			found = append(found, alg)
		}
	}
	return found
}

package handlers

// publicRoutes are those of the public listener.
func (s *Server) publicRoutes() []route {
	return append(append(s.betterAuthRoutes(), s.accountRoutes()...), []route{
		{method: "GET", path: "/.well-known/jwks.json", serve: s.jwks, open: true},
		{method: "GET", path: "/.well-known/openid-configuration", serve: s.metadata, open: true},
		{method: "GET", path: "/.well-known/oauth-authorization-server", serve: s.metadata, open: true},
		{method: "GET", path: "/openapi.yaml", serve: s.describe, open: true},
		{method: "GET", path: "/problems/{code}", serve: s.problem, open: true},
		{method: "GET", path: "/healthz", serve: s.healthy},
		{method: "GET", path: "/readyz", serve: s.ready},

		{method: "POST", path: "/v1/session/refresh", serve: s.refresh},
		{method: "POST", path: "/v1/session/claim", serve: s.claim},
		{method: "GET", path: "/v1/session", serve: s.current},
		{method: "DELETE", path: "/v1/session", serve: s.signOut},

		{method: "POST", path: "/v1/sessions", serve: s.mint},
		{method: "GET", path: "/v1/sessions", serve: s.list},
		{method: "POST", path: "/v1/sessions/revoke-others", serve: s.revokeOthers},
		{method: "POST", path: "/v1/sessions/revoke-all", serve: s.revokeAll},
		{method: "GET", path: "/v1/sessions/{id}", serve: s.show},
		{method: "DELETE", path: "/v1/sessions/{id}", serve: s.revoke},
		{method: "POST", path: "/v1/sessions/{id}/reauthenticate", serve: s.reauthenticate},
		{method: "POST", path: "/v1/users/{id}/revoke-sessions", serve: s.revokeUser},

		{method: "GET", path: "/v1/revocations", serve: s.snapshot},
		{method: "GET", path: "/v1/revocations/stream", serve: s.stream},
		{method: "POST", path: "/v1/revocations/applied", serve: s.applied},

		{method: "POST", path: "/oauth/introspect", serve: s.introspect, oauth: true},
		{method: "POST", path: "/oauth/revoke", serve: s.revokeToken, oauth: true},
	}...)
}

// adminRoutes are those of the admin listener.
func (s *Server) adminRoutes() []route {
	return []route{
		{method: "GET", path: "/healthz", serve: s.healthy},
		{method: "GET", path: "/readyz", serve: s.ready},
		{method: "GET", path: "/metrics", serve: s.metrics},

		{method: "GET", path: "/admin/v1/sessions", serve: s.adminSessions, admin: true},
		{method: "GET", path: "/admin/v1/sessions/{id}", serve: s.adminSession, admin: true},
		{method: "DELETE", path: "/admin/v1/sessions/{id}", serve: s.adminRevoke, admin: true},
		{method: "POST", path: "/admin/v1/users/{id}/revoke-sessions", serve: s.adminRevokeUser, admin: true},
		{method: "POST", path: "/admin/v1/revocations", serve: s.adminMark, admin: true},
		{method: "GET", path: "/admin/v1/verifiers", serve: s.adminVerifiers, admin: true},

		{method: "GET", path: "/admin/v1/keys", serve: s.adminKeys, admin: true},
		{method: "POST", path: "/admin/v1/keys/rotate", serve: s.adminRotate, admin: true},
		{method: "POST", path: "/admin/v1/keys/{kid}/promote", serve: s.adminPromote, admin: true},
		{method: "DELETE", path: "/admin/v1/keys/{kid}", serve: s.adminRevokeKey, admin: true},

		{method: "GET", path: "/admin/v1/backup", serve: s.adminBackup, admin: true},
		{method: "GET", path: "/debug/pprof/", serve: s.adminProfile, admin: true},
		{method: "GET", path: "/debug/pprof/{profile}", serve: s.adminProfile, admin: true},
	}
}

package handlers

import "net/http"

// healthy answers that the process is alive.
func (s *Server) healthy(x *exchange) error {
	return writeJSON(x, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness says which parts work.
type readiness struct {
	Status string            `json:"status"` // ok or unavailable
	Checks map[string]string `json:"checks"` // ok or failing
}

// ready answers whether requests can be served: a key can sign and every check passes.
func (s *Server) ready(x *exchange) error {
	out, status := readiness{Status: "ok", Checks: make(map[string]string)}, http.StatusOK
	checks := append([]Check{{Name: "keys", Err: s.cfg.Keys.Ready}}, s.cfg.Checks...)
	for _, c := range checks {
		out.Checks[c.Name] = "ok"
		if err := c.Err(); err != nil {
			out.Checks[c.Name] = "failing"
			out.Status, status = "unavailable", http.StatusServiceUnavailable
			s.cfg.Logger.WarnContext(x.Request().Context(), "not ready", "check", c.Name, "error", err)
		}
	}
	return writeJSON(x, status, out)
}

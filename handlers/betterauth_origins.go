package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// The words by which a better-auth client knows a page that may not ask.
const (
	noOrigin      = "MISSING_OR_NULL_ORIGIN"
	foreignOrigin = "INVALID_ORIGIN"
	crossSite     = "CROSS_SITE_REQUEST_BLOCKED"
)

func untrusted(word string) error {
	return &refusal{code: codeForbidden, better: word, detail: "The request does not come from a page of a trusted origin."}
}

// checkChange refuses a POST that may be another site's doing: its Origin, or else that of
// its Referer, must be trusted. What brings no cookie needs no such check.
func (s *Server) checkChange(x *exchange) error {
	h := x.Request().Header
	if len(h["Cookie"]) == 0 {
		return nil
	}
	origins := h.Values(echo.HeaderOrigin)
	if len(origins) == 0 {
		origins = refererOrigins(h)
	}
	return s.origins.trust(origins)
}

// trust demands exactly one origin, a trusted one.
func (o *origins) trust(given []string) error {
	switch {
	case len(given) == 0 || len(given) == 1 && (given[0] == "" || given[0] == "null"):
		return untrusted(noOrigin)
	case len(given) > 1 || !o.trusted[given[0]]:
		return untrusted(foreignOrigin)
	}
	return nil
}

// refererOrigins are the origins of the Referer headers.
func refererOrigins(h http.Header) []string {
	var found []string
	for _, text := range h.Values("Referer") {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			found = append(found, u.Scheme+"://"+u.Host)
		} else {
			found = append(found, "null")
		}
	}
	return found
}

// checkGet refuses a GET that changes something and may be another site's doing, or the
// browser's own: a browser sends a Lax cookie with a link, and with an image of a
// neighbour's page. What brings no cookie needs no such check.
func (s *Server) checkGet(x *exchange) error {
	h := x.Request().Header
	switch {
	case len(h["Cookie"]) == 0:
		return nil
	case len(h["Sec-Purpose"]) > 0 || len(h["Purpose"]) > 0: // a prefetch: nobody has asked
		return untrusted(crossSite)
	}
	if origins := h.Values(echo.HeaderOrigin); len(origins) > 0 {
		if err := s.origins.trust(origins); err != nil {
			return err
		}
	}
	if fetchMetadata(h) {
		return s.checkFetch(h)
	}
	if len(h.Values(echo.HeaderOrigin)) == 0 {
		return s.origins.trust(refererOrigins(h))
	}
	return nil
}

func fetchMetadata(h http.Header) bool {
	return len(h["Sec-Fetch-Site"])+len(h["Sec-Fetch-Mode"])+len(h["Sec-Fetch-Dest"]) > 0
}

// checkFetch demands what only a script's fetch sends, from a page of our own or of a
// trusted origin. Any Origin header has been found to be trusted.
func (s *Server) checkFetch(h http.Header) error {
	only := func(name, want string) bool {
		given := h.Values(name)
		return len(given) == 1 && given[0] == want
	}
	ours := only("Sec-Fetch-Site", "same-origin") || len(h.Values(echo.HeaderOrigin)) == 1
	if !ours || !only("Sec-Fetch-Mode", "cors") || !only("Sec-Fetch-Dest", "empty") {
		return untrusted(crossSite)
	}
	return nil
}

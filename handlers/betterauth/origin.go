package betterauth

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"issuer.example/handlers/credential"
	"issuer.example/handlers/exchange"
)

// errCrossSite is the cause of the refusal of a GET that another site, or the browser itself, has sent.
var errCrossSite = errors.New("betterauth: cross-site request")

// expoOrigin is the header in which better-auth's Expo plugin names its app, because React Native sends no
// Origin. The pages of other sites cannot send it: no preflight of theirs is allowed.
const expoOrigin = "Expo-Origin"

// checkChange refuses a POST that another site's page may have sent: its Origin must be trusted, or else the
// app in expo-origin, or else the origin of its Referer. A request without a cookie needs no such check.
func (h *Handlers) checkChange(x *exchange.Exchange) error {
	header := x.Request().Header
	if len(header["Cookie"]) == 0 {
		return nil
	}
	if origins := header.Values("Origin"); len(origins) > 0 {
		return h.auth.Origins.RequireTrusted(origins)
	}
	return h.checkWithoutOrigin(header)
}

// checkWithoutOrigin is the check of a request without an Origin header.
func (h *Handlers) checkWithoutOrigin(header http.Header) error {
	if apps := header.Values(expoOrigin); len(apps) > 0 {
		return h.auth.Origins.RequireTrusted(appOrigins(apps))
	}
	return h.auth.Origins.RequireTrusted(refererOrigins(header))
}

// appOrigins returns the origins of the URLs of apps, such as myapp:// for myapp:///. Those of web pages are
// not among them: an origin of such a page comes in the Origin header.
func appOrigins(urls []string) []string {
	var origins []string
	for _, text := range urls {
		u, err := url.Parse(text)
		switch {
		case err != nil, u.Scheme == "http", u.Scheme == "https", u.User != nil,
			!strings.HasPrefix(strings.ToLower(text), u.Scheme+"://"):
			origins = append(origins, "https://") // no origin at all, and never trusted
		default:
			origins = append(origins, u.Scheme+"://"+u.Host)
		}
	}
	return origins
}

// refererOrigins returns the origins of the Referer headers.
func refererOrigins(header http.Header) []string {
	var origins []string
	for _, text := range header.Values("Referer") {
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			origins = append(origins, u.Scheme+"://"+u.Host)
		} else {
			origins = append(origins, "null")
		}
	}
	return origins
}

// checkChangeByGet refuses a GET that changes something and that another site, or the browser itself, may
// have sent: a browser sends a Lax cookie with a link, and with an image on a page of the same site. A
// request without a cookie needs no such check.
func (h *Handlers) checkChangeByGet(x *exchange.Exchange) error {
	header := x.Request().Header
	switch {
	case len(header["Cookie"]) == 0:
		return nil
	case len(header["Sec-Purpose"]) > 0 || len(header["Purpose"]) > 0: // a prefetch: no user has asked
		return credential.UntrustedOrigin(errCrossSite)
	}
	origins := header.Values("Origin")
	if len(origins) > 0 {
		if err := h.auth.Origins.RequireTrusted(origins); err != nil {
			return err
		}
	}
	if hasFetchMetadata(header) {
		return checkFetchMetadata(header)
	}
	if len(origins) == 0 {
		return h.checkWithoutOrigin(header)
	}
	return nil
}

func hasFetchMetadata(header http.Header) bool {
	return len(header["Sec-Fetch-Site"])+len(header["Sec-Fetch-Mode"])+len(header["Sec-Fetch-Dest"]) > 0
}

// checkFetchMetadata demands what only the fetch of a script sends, from a page of the issuer's own or of
// a trusted origin. The caller has found any Origin header to be trusted.
func checkFetchMetadata(header http.Header) error {
	is := func(name, want string) bool {
		given := header.Values(name)
		return len(given) == 1 && given[0] == want
	}
	trusted := is("Sec-Fetch-Site", "same-origin") || len(header.Values("Origin")) == 1
	if !trusted || !is("Sec-Fetch-Mode", "cors") || !is("Sec-Fetch-Dest", "empty") {
		return credential.UntrustedOrigin(errCrossSite)
	}
	return nil
}

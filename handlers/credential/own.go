package credential

import (
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/sid"
)

// ownCookies returns the values of the cookies of that name, without those of another session than the
// one that the companion vouches for: a page of a sibling subdomain has planted these, and the request is
// judged as if they were not there.
//
// With a configured domain other hosts of that domain may sign the user in, and only the session cookies
// reach this host then. Therefore a companion counts there only if the request has a token of its session.
func (a *Authenticator) ownCookies(x *exchange.Exchange, name string) ([]string, error) {
	values := cookieValues(x, name)
	if id, ok := a.Jar.companion.vouchesFor(x); ok && (a.Jar.scopes.own.domain == "" || a.presents(x, id)) {
		all := len(values)
		values = slices.DeleteFunc(values, func(text string) bool {
			named, ok := a.sessions.NamedSession(text)
			return ok && named != id
		})
		if len(values) == 0 && all > 0 {
			a.Jar.clearPlanted(x)
		}
	}
	if len(values) > maxSameName {
		a.Jar.clearPlanted(x)
		return nil, exchange.Invalid("The request has too many cookies of one name.")
	}
	return values, nil
}

// presents reports whether a session or access cookie of the request is of that session.
func (a *Authenticator) presents(x *exchange.Exchange, id sid.ID) bool {
	return slices.ContainsFunc([]string{a.Jar.refresh, a.Jar.access}, func(name string) bool {
		return slices.ContainsFunc(cookieValues(x, name), func(text string) bool {
			named, ok := a.sessions.NamedSession(text)
			return ok && named == id
		})
	})
}

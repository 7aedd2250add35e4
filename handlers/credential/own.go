package credential

import (
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/sid"
)

// ownCookies returns the values of the cookies of that name that are the browser's own, as far as its
// companion tells: those of the session that it vouches for. A token of another session was planted by a page
// of a sibling subdomain, and the request is judged as if it were not there. If nothing is of the session, what
// is no token of the issuer's remains, so that it is refused for what it is.
//
// With a configured domain other hosts of that domain may sign the user in, and only the session cookies
// reach this host then. Therefore a companion counts there only if the request has a token of its session.
func (a *Authenticator) ownCookies(x *exchange.Exchange, name string) ([]string, error) {
	values := cookieValues(x, name)
	id, ok := a.Jar.companion.vouchesFor(x)
	if ok && (a.Jar.scopes.own.domain == "" || a.presents(x, id)) {
		vouched, unknown := a.tokensOf(id, values)
		if len(values) > 0 && len(vouched)+len(unknown) == 0 {
			a.Jar.clearPlanted(x)
		}
		switch {
		case len(vouched) == 0: // each of them is refused
			values = unknown[:min(len(unknown), maxSameName)]
		case len(vouched) > maxSameName: // ids are public: somebody who knows this one can make such texts
			values = slices.DeleteFunc(vouched, func(text string) bool { return !a.sessions.Issued(text) })
		default:
			values = vouched
		}
	}
	if len(values) > maxSameName {
		a.Jar.clearPlanted(x)
		return nil, exchange.Invalid("The request has too many cookies of one name.")
	}
	return values, nil
}

// tokensOf returns which of the texts are tokens of a session, and which name no session at all.
func (a *Authenticator) tokensOf(id sid.ID, texts []string) (of, unknown []string) {
	for _, text := range texts {
		switch named, ok := a.sessions.NamedSession(text); {
		case !ok:
			unknown = append(unknown, text)
		case named == id:
			of = append(of, text)
		}
	}
	return of, unknown
}

// presents reports whether a session or access cookie of the request is of that session.
func (a *Authenticator) presents(x *exchange.Exchange, id sid.ID) bool {
	for _, name := range []string{a.Jar.refresh, a.Jar.access} {
		if of, _ := a.tokensOf(id, cookieValues(x, name)); len(of) > 0 {
			return true
		}
	}
	return false
}

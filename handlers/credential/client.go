package credential

import (
	"net/url"
	"time"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
)

// Clients finds out which service key a request has.
type Clients struct {
	registry *client.Registry
	failures *failures
	now      func() time.Time
}

// Require demands a service key with that scope as bearer token.
func (c *Clients) Require(x *exchange.Exchange, scope client.Scope) (Caller, error) {
	token, err := bearerToken(x)
	if err != nil {
		return Caller{}, err
	}
	if token == "" {
		return Caller{}, unauthorized("A service key is needed.")
	}
	key, ok := c.registry.Find(token)
	if !ok {
		return Caller{}, c.refuse(x, false)
	}
	return c.authorize(x, key, scope)
}

// RequireAny demands a service key with that scope in one of the ways of OAuth (RFC 6749 §2.3.1): as
// the password of HTTP Basic, whose user is the name of the key, as client_secret of the form, whose
// client_id is the name, or as bearer token. The form is that of the body; nil if it has none.
func (c *Clients) RequireAny(x *exchange.Exchange, form url.Values, scope client.Scope) (Caller, error) {
	if len(x.Request().Header.Values(authorization)) > 1 {
		return Caller{}, exchange.Invalid("The request has more than one credential.")
	}
	user, password, basic := x.Request().BasicAuth()
	_, authorized := x.Request().Header[authorization]
	switch {
	case authorized && form.Get(formSecret) != "":
		// RFC 6749 §2.3: a client must not use more than one way in a request.
		return Caller{}, exchange.Invalid("The request has more than one credential: one in the Authorization header and one in the form.")
	case basic:
		return c.requireBasic(x, user, password, form, scope)
	case form.Get(formSecret) != "":
		return c.requireNamed(x, form.Get(formID), form.Get(formSecret), scope, false)
	default:
		return c.Require(x, scope)
	}
}

// The parameters of a form by which a client authenticates.
const formID, formSecret = "client_id", "client_secret"

// requireBasic reads user and password, which are form-encoded before they are put into the header.
// A client_id in the form must be the same client's.
func (c *Clients) requireBasic(x *exchange.Exchange, user, password string, form url.Values, scope client.Scope) (Caller, error) {
	name, err := url.QueryUnescape(user)
	if err != nil {
		return Caller{}, exchange.Invalid("The credential is not well-formed.")
	}
	if password, err = url.QueryUnescape(password); err != nil {
		return Caller{}, exchange.Invalid("The credential is not well-formed.")
	}
	if id := form.Get(formID); id != "" && id != name {
		return Caller{}, exchange.Invalid("The client_id is not that of the Authorization header.")
	}
	return c.requireNamed(x, name, password, scope, true)
}

// requireNamed demands that a key has that name.
func (c *Clients) requireNamed(x *exchange.Exchange, name, secret string, scope client.Scope, basic bool) (Caller, error) {
	key, ok := c.registry.Find(secret)
	if !ok || name != key.Name {
		return Caller{}, c.refuse(x, basic)
	}
	return c.authorize(x, key, scope)
}

// CheckOptional demands that a service key, if the request has one, is valid.
func (c *Clients) CheckOptional(x *exchange.Exchange, form url.Values) error {
	_, _, basic := x.Request().BasicAuth()
	if !basic && !hasServiceKey(x) && form.Get(formSecret) == "" {
		return nil
	}
	_, err := c.RequireAny(x, form, "")
	return err
}

// Has reports whether a service key has that name.
func (c *Clients) Has(name string) bool { return c.registry.Has(name) }

func (c *Clients) refuse(x *exchange.Exchange, basic bool) error {
	return c.failures.count(x, &exchange.Refusal{
		Code: exchange.CodeTokenInvalid, Detail: "The service key is not known.", Basic: basic,
	})
}

// authorize refuses a key without the scope. Every key has the scope "".
func (c *Clients) authorize(x *exchange.Exchange, key client.Key, scope client.Scope) (Caller, error) {
	x.Log.Client = key.Name
	c.registry.MarkUsed(key.Name, c.now())
	if scope != "" && !key.Allows(scope) {
		return Caller{}, MissingScope("The service key lacks the scope "+string(scope)+".", scope)
	}
	return Caller{Kind: KindClient, Client: key}, nil
}

// MissingScope refuses a caller who may not do something without that scope.
func MissingScope(detail string, scope client.Scope) error {
	return &exchange.Refusal{Code: exchange.CodeForbidden, Detail: detail, Scope: string(scope)}
}

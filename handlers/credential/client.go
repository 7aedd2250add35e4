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

// RequireBasicOrBearer demands a service key with that scope as bearer token, or as the password of
// HTTP Basic, whose user is the name of the key (RFC 6749 §2.3.1).
func (c *Clients) RequireBasicOrBearer(x *exchange.Exchange, scope client.Scope) (Caller, error) {
	user, password, ok := x.Request().BasicAuth()
	if !ok {
		return c.Require(x, scope)
	}
	if len(x.Request().Header.Values(authorization)) > 1 {
		return Caller{}, exchange.Invalid("The request has more than one credential.")
	}
	name, err := url.QueryUnescape(user) // user and password are form-encoded
	if err != nil {
		return Caller{}, exchange.Invalid("The credential is not well-formed.")
	}
	key, ok := c.registry.Find(password)
	if !ok || name != key.Name {
		return Caller{}, c.refuse(x, true)
	}
	return c.authorize(x, key, scope)
}

// CheckOptional demands that a service key, if the request has one, is valid.
func (c *Clients) CheckOptional(x *exchange.Exchange) error {
	if _, _, basic := x.Request().BasicAuth(); !basic && !hasServiceKey(x) {
		return nil
	}
	_, err := c.RequireBasicOrBearer(x, "")
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

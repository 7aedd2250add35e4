package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	// keyPrefix begins every service key, so that it is told from a token at sight.
	keyPrefix = "sk_"
	// keyLen is the length of a service key: the prefix and 43 characters of base64url.
	keyLen = len(keyPrefix) + 43
)

// keyring finds service keys by their hash.
type keyring struct{ keys []ServiceKey }

func newKeyring(keys []ServiceKey) (*keyring, error) {
	seen := make(map[string]bool)
	for _, k := range keys {
		if k.Name == "" || seen[k.Name] {
			return nil, fmt.Errorf("%w: service keys need names of their own", ErrConfig)
		}
		seen[k.Name] = true
	}
	return &keyring{keys: slices.Clone(keys)}, nil
}

// find looks a key up. It takes the same time whether and where it is found.
func (k *keyring) find(text string) (ServiceKey, bool) {
	var (
		hash  = sha256.Sum256([]byte(text))
		found = -1
	)
	for i := range k.keys {
		same := subtle.ConstantTimeCompare(hash[:], k.keys[i].SHA256[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 || len(text) != keyLen {
		return ServiceKey{}, false
	}
	return k.keys[found], true
}

// has reports whether a key has that name.
func (k *keyring) has(name string) bool {
	return slices.ContainsFunc(k.keys, func(key ServiceKey) bool { return key.Name == name })
}

// isService reports whether the request brings a service key.
func (x *exchange) isService() bool {
	scheme, value, _ := strings.Cut(x.Request().Header.Get(echo.HeaderAuthorization), " ")
	return strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(value, keyPrefix)
}

// service demands a service key of that scope.
func (s *Server) service(x *exchange, scope string) error {
	bearer, err := x.bearer()
	if err != nil {
		return err
	}
	if bearer == "" {
		return &refusal{code: codeTokenInvalid, detail: "A service key is needed.", bare: true}
	}
	return s.authorise(x, bearer, false, "", scope)
}

// clientKey demands a service key of that scope, by Bearer or by HTTP Basic, where the
// user name is the key's name (RFC 6749 §2.3.1). The scope "" is every key's.
func (s *Server) clientKey(x *exchange, scope string) error {
	user, password, ok := x.Request().BasicAuth()
	if !ok {
		return s.service(x, scope)
	}
	if len(x.Request().Header.Values(echo.HeaderAuthorization)) > 1 {
		return invalid("The request has more than one credential.")
	}
	// Both are form-encoded before they are joined.
	name, err := url.QueryUnescape(user)
	if err != nil {
		return invalid("The credential is not well-formed.")
	}
	return s.authorise(x, password, true, name, scope)
}

// authorise checks a service key. By Basic it comes with its name.
func (s *Server) authorise(x *exchange, text string, basic bool, name, scope string) error {
	key, ok := s.keys.find(text)
	if !ok || basic && name != key.Name {
		return s.penalise(x, &refusal{
			code: codeTokenInvalid, detail: "The service key is not known.", basic: basic,
		})
	}
	x.client = key.Name
	if scope != "" && !slices.Contains(key.Scopes, scope) {
		return &refusal{code: codeForbidden, detail: "The service key lacks the scope " + scope + ".", scope: scope}
	}
	return nil
}

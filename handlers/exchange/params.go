package exchange

import (
	"net/url"
	"slices"
	"strings"

	"issuer.example/jwt"
	"issuer.example/sid"
)

// Segment returns the path parameter of that name, unescaped exactly once.
func (x *Exchange) Segment(param string) (string, error) {
	pattern := strings.Split(x.route.Path, "/")
	given := strings.Split(x.Request().URL.EscapedPath(), "/")
	i := slices.Index(pattern, "{"+param+"}")
	if i < 0 || len(given) != len(pattern) { // Echo lets the last parameter contain slashes
		return "", NotFound()
	}
	text, err := url.PathUnescape(given[i])
	if err != nil {
		return "", NotFound()
	}
	return text, nil
}

// Query returns the value of a query parameter; ok is false if the query does not have it. A
// parameter that is there twice is refused.
func (x *Exchange) Query(name string) (value string, ok bool, err error) {
	if x.Request().URL.RawQuery == "" {
		return "", false, nil
	}
	values, err := url.ParseQuery(x.Request().URL.RawQuery)
	if err != nil {
		return "", false, Invalid("The query is not well-formed.")
	}
	switch given := values[name]; len(given) {
	case 0:
		return "", false, nil
	case 1:
		return given[0], true, nil
	default:
		return "", false, Invalid("The query has a parameter twice.")
	}
}

// refuseTokenInQuery refuses a query that carries a credential: it would end up in logs and
// histories (RFC 9700 §4.3.2).
func refuseTokenInQuery(x *Exchange) error {
	if x.Request().URL.RawQuery == "" {
		return nil
	}
	for _, name := range []string{"access_token", "refresh_token", "token", "client_secret"} {
		if _, found, err := x.Query(name); err != nil {
			return err
		} else if found {
			return Invalid("Tokens are not taken from the query.")
		}
	}
	return nil
}

// SessionIDParam returns the path parameter {id} as the id of a session, and notes it for the
// log. Text that is no id is refused like an unknown session.
func SessionIDParam(x *Exchange) (sid.ID, error) {
	text, err := x.Segment("id")
	if err != nil {
		return sid.ID{}, err
	}
	id, err := sid.Parse(text)
	if err != nil {
		return sid.ID{}, NotFound()
	}
	x.Log.SessionID = text
	return id, nil
}

// UserIDParam returns the path parameter {id} as the id of a user.
func UserIDParam(x *Exchange) (string, error) {
	text, err := x.Segment("id")
	if err != nil {
		return "", err
	}
	if err := jwt.ValidSubject(text); err != nil {
		return "", Invalid("The user id must be 1 to 255 bytes of UTF-8 without control characters and characters that set the direction of text.")
	}
	return text, nil
}

// CheckUserID refuses a user_id that cannot be the `sub` of a token.
func CheckUserID(id string) error {
	if err := jwt.ValidSubject(id); err != nil {
		return InvalidField("user_id", "The user_id must be 1 to 255 bytes of UTF-8 without control characters and characters that set the direction of text.")
	}
	return nil
}

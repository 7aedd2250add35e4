package handlers

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/sid"
)

// exchange is one request and its answer.
type exchange struct {
	echo.Context
	listener *listener
	route    *route // nil if no route matches
	id       string // the request's id
	began    time.Time
	peer     netip.Addr // who is connected
	from     netip.Addr // who asks: the peer, or whom a trusted proxy names

	// For the log:
	sid    string // the session concerned, if it is known
	client string // the name of the service key
	cause  error  // what was refused, and why
}

// maxRequestID is how long a proxy's request id may be.
const maxRequestID = 64

func (l *listener) begin(c echo.Context) *exchange {
	r := c.Request()
	x := &exchange{Context: c, listener: l, began: l.server.cfg.Now()}
	x.route = l.routes[name{r.Method, c.Path()}]
	x.peer, x.from = l.server.proxies.peerAndClient(r)
	if given := r.Header.Get(echo.HeaderXRequestID); given != "" &&
		l.server.proxies.trusted(x.peer) && plainID(given, maxRequestID) {
		x.id = given
	} else {
		x.id = newRequestID()
	}
	return x
}

func newRequestID() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

// plainID reports whether s is 1 to limit characters of A-Z a-z 0-9 _ -.
func plainID(s string, limit int) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

func (x *exchange) header() http.Header { return x.Response().Header() }

// maxUserAgent is how much of a User-Agent header is read, in bytes.
const maxUserAgent = 512

// device is where the request comes from.
func (x *exchange) device() session.Client {
	agent := x.Request().UserAgent()
	return session.Client{IP: x.from, UserAgent: agent[:min(len(agent), maxUserAgent)]}
}

// segment is the path parameter of that name, unescaped exactly once.
func (x *exchange) segment(param string) (string, error) {
	pattern := strings.Split(x.route.path, "/")
	given := strings.Split(x.Request().URL.EscapedPath(), "/")
	i := slices.Index(pattern, "{"+param+"}")
	if i < 0 || len(given) != len(pattern) { // Echo lets a last parameter have slashes
		return "", notFound()
	}
	text, err := url.PathUnescape(given[i])
	if err != nil {
		return "", notFound()
	}
	return text, nil
}

// sessionID is the path parameter {id} of a session. What cannot be one names no session.
func (x *exchange) sessionID() (sid.ID, error) {
	text, err := x.segment("id")
	if err != nil {
		return sid.ID{}, err
	}
	id, err := sid.Parse(text)
	if err != nil {
		return sid.ID{}, notFound()
	}
	x.sid = text
	return id, nil
}

// userID is the path parameter {id} of a user.
func (x *exchange) userID() (string, error) {
	text, err := x.segment("id")
	if err != nil {
		return "", err
	}
	if err := jwt.ValidSubject(text); err != nil {
		return "", invalid("The user id must be 1 to 255 bytes of UTF-8 without control characters.")
	}
	return text, nil
}

// query is the query's only value of that name; ok is false if there is none.
func (x *exchange) query(name string) (value string, ok bool, err error) {
	if x.Request().URL.RawQuery == "" {
		return "", false, nil
	}
	values, err := url.ParseQuery(x.Request().URL.RawQuery)
	if err != nil {
		return "", false, invalid("The query is not well-formed.")
	}
	switch given := values[name]; len(given) {
	case 0:
		return "", false, nil
	case 1:
		return given[0], true, nil
	default:
		return "", false, invalid("The query has a parameter twice.")
	}
}

// withoutTokens refuses a query that carries a credential: it would end up in logs and
// histories (RFC 9700 §4.3.2).
func (x *exchange) withoutTokens() error {
	if x.Request().URL.RawQuery == "" {
		return nil
	}
	for _, name := range []string{"access_token", "refresh_token", "token"} {
		if _, found, err := x.query(name); err != nil {
			return err
		} else if found {
			return invalid("Tokens are not taken from the query.")
		}
	}
	return nil
}

package credential

import (
	"errors"
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

// accepts says which tokens count in the place where one was presented.
type accepts int

const (
	anyToken     accepts = iota // an access token or a refresh token
	accessToken                 // an access token only
	refreshToken                // a refresh token only
)

// presented is one token of a request, and what was found out about it.
type presented struct {
	text    string
	accepts accepts

	looked bool           // the fields below are set
	view   session.View   // its session
	holder session.Holder // of an access token
	err    error          // why it is refused
}

// present wraps the text of a token. It returns nil for the empty text: there is no token.
func present(text string, accepts accepts) *presented {
	if text == "" {
		return nil
	}
	return &presented{text: text, accepts: accepts}
}

func presentAll(texts []string, accepts accepts) []*presented {
	var all []*presented
	for _, text := range texts {
		all = append(all, present(text, accepts))
	}
	return all
}

// chooser decides which of the presented tokens counts.
type chooser struct {
	sessions *session.Service
	jar      *Jar
}

// look finds out to which live session a token belongs, and remembers it. It does not redeem a
// refresh token.
func (c *chooser) look(x *exchange.Exchange, p *presented) error {
	if p.looked {
		return p.err
	}
	p.looked = true
	if p.accepts == refreshToken || p.accepts == anyToken && refresh.IsToken(p.text) {
		p.view, p.err = c.sessions.Validate(x.Context(), p.text, x.Device())
		return p.err
	}
	p.holder, p.err = c.sessions.Authenticate(x.Context(), p.text)
	p.view = p.holder.View
	return p.err
}

// choose picks the token that counts, by the table in the documentation of the package. There must
// be at least one. The chosen token is not necessarily valid: a cookie that is the only token is
// returned without a look-up, and the caller checks it.
func (c *chooser) choose(x *exchange.Exchange, explicit *presented, cookies []*presented) (*presented, error) {
	if explicit != nil {
		return explicit, c.checkBeside(x, explicit, cookies)
	}
	if len(cookies) == 1 {
		return cookies[0], nil
	}
	var live *presented
	for _, cookie := range cookies {
		switch err := c.look(x, cookie); {
		case errors.Is(err, session.ErrUnavailable):
			return nil, err
		case err != nil || live != nil && live.view.ID == cookie.view.ID:
		case live == nil:
			live = cookie
		case live.view.User.ID != cookie.view.User.ID:
			c.jar.clearPlanted(x)
			return nil, exchange.Invalid("The cookies are of the sessions of two users. One may have been planted: sign out, or sign in anew.")
		case cookie.view.CreatedAt.After(live.view.CreatedAt): // the user has signed in again
			live = cookie
		}
	}
	if live == nil {
		return mostSpecific(cookies), nil
	}
	return live, nil
}

// checkBeside refuses a request whose explicit token and cookies belong to different live sessions.
// It returns nil if the explicit token itself is invalid: the caller refuses that, with its reason.
func (c *chooser) checkBeside(x *exchange.Exchange, explicit *presented, cookies []*presented) error {
	for _, cookie := range cookies {
		if cookie.text == explicit.text {
			continue
		}
		if err := c.look(x, explicit); err != nil {
			return onlyUnavailable(err)
		}
		if err := onlyUnavailable(c.look(x, cookie)); err != nil {
			return err
		}
		if cookie.err == nil && cookie.view.ID != explicit.view.ID {
			return exchange.Invalid("The token and the cookie are of different sessions.")
		}
	}
	return nil
}

// onlyUnavailable returns err if the store could not answer, and nil if the token is refused or accepted.
func onlyUnavailable(err error) error {
	if errors.Is(err, session.ErrUnavailable) {
		return err
	}
	return nil
}

// mostSpecific returns the token whose refusal says most. A copied token comes first, wherever it
// is in the list, because redeeming it ends its session.
func mostSpecific(refused []*presented) *presented {
	for _, p := range refused {
		if errors.Is(p.err, session.ErrRefreshTokenReused) {
			return p
		}
	}
	for _, p := range refused {
		if !isMalformed(p.err) {
			return p
		}
	}
	for _, p := range refused { // it is counted, whatever is beside it
		if isForgery(p.err) {
			return p
		}
	}
	return refused[0]
}

// liveSessions returns the live sessions that tokens belong to, each once.
func (c *chooser) liveSessions(x *exchange.Exchange, tokens []string) ([]session.View, error) {
	var live []session.View
	for _, p := range presentAll(tokens, anyToken) {
		err := c.look(x, p)
		if errors.Is(err, session.ErrUnavailable) {
			return nil, err
		}
		if err == nil && !slices.ContainsFunc(live, func(v session.View) bool { return v.ID == p.view.ID }) {
			live = append(live, p.view)
		}
	}
	return live, nil
}

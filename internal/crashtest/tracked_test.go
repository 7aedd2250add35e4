//go:build linux

package crashtest_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// life is what is known about the end of a session.
type life int

const (
	live       life = iota // no request could have ended it
	maybeEnded             // a request that may have ended it has no answer
	ended                  // its end was acknowledged, or seen
)

func (l life) String() string { return [...]string{"live", "maybe ended", "over"}[l] }

const (
	keptTokens = 5  // refresh tokens that a client remembers of a session
	keptPast   = 16 // events that a failure shows
)

// tracked is a session as its client knows it.
type tracked struct {
	id   string
	life life
	// tokens are the refresh tokens that were received, the newest last. There is none if
	// the answer to mint was lost.
	tokens []string
	access string
	// unanswered says that the newest token was sent and no answer came: it may be redeemed.
	unanswered bool
	// sent is when the newest token was first sent; zero if it was not. redeemed is the same
	// of the token before it, which was redeemed then or later.
	sent, redeemed time.Time
	past           []string
}

func (h *tracked) note(format string, args ...any) {
	if len(h.past) == keptPast {
		h.past = h.past[1:]
	}
	h.past = append(h.past, fmt.Sprintf(format, args...))
}

func (h *tracked) String() string {
	return fmt.Sprintf("session %s (%s; %s)", h.id, h.life, strings.Join(h.past, ", "))
}

func (h *tracked) newest() string { return h.tokens[len(h.tokens)-1] }

// older is the token n steps before the newest.
func (h *tracked) older(n int) string { return h.tokens[len(h.tokens)-1-n] }

// storeReply stores the answer to redeeming parent. A second answer to the same token
// replaces the first, as in a cookie jar that two tabs share.
func (h *tracked) storeReply(parent string, r reply) {
	h.access, h.unanswered = r.Access, false
	if r.Refresh == h.newest() {
		return
	}
	if parent == h.newest() {
		h.redeemed, h.sent = h.sent, time.Time{}
		h.tokens = append(h.tokens, r.Refresh)
		if len(h.tokens) > keptTokens {
			h.tokens = slices.Delete(h.tokens, 0, 1)
		}
		return
	}
	h.tokens[len(h.tokens)-1], h.sent = r.Refresh, time.Time{}
}

// superseded reports whether a token is older than the newest. If the issuer returns such a
// token, it has forgotten an acknowledged refresh.
func (h *tracked) superseded(token string) bool {
	return len(h.tokens) > 0 && slices.Contains(h.tokens[:len(h.tokens)-1], token)
}

// provenTokens is how many tokens before the newest are known to be redeemed. It is 0 while an
// answer is missing.
func (h *tracked) provenTokens() int {
	if h.unanswered || h.life != live {
		return 0
	}
	return len(h.tokens) - 1
}

// user is what one client knows of one user.
type user struct {
	id string
	// sessions are those that may be live; ended the others.
	sessions, ended []*tracked
	// unknown counts mints without an answer: there may be as many sessions whose tokens
	// nobody has.
	unknown int
}

// moveEnded moves the sessions that have ended from sessions to ended.
func (u *user) moveEnded() {
	u.sessions = slices.DeleteFunc(u.sessions, func(h *tracked) bool {
		if h.life == ended {
			u.ended = append(u.ended, h)
		}
		return h.life == ended
	})
}

// holders are the sessions with tokens.
func (u *user) holders() (with []*tracked) {
	for _, h := range u.sessions {
		if len(h.tokens) > 0 {
			with = append(with, h)
		}
	}
	return with
}

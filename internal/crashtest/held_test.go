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
	live  life = iota // nobody has asked for its end
	maybe             // its end was asked for, and the answer is missing
	over              // its end was acknowledged, or seen
)

func (l life) String() string { return [...]string{"live", "maybe ended", "over"}[l] }

const (
	keptTokens = 5  // refresh tokens that a client remembers of a session
	keptPast   = 16 // events that a failure shows
)

// held is a session as its client knows it.
type held struct {
	id   string
	life life
	// tokens are the refresh tokens that were received, the newest last. There is none if
	// the answer to mint was lost.
	tokens []string
	access string
	// loose: the newest token was sent, and no answer came. It may be redeemed or not.
	loose bool
	// sent is when the newest token was first sent; zero if it was not. redeemed is that
	// of the token before it: it was not redeemed before then.
	sent, redeemed time.Time
	past           []string
}

func (h *held) note(format string, args ...any) {
	if len(h.past) == keptPast {
		h.past = h.past[1:]
	}
	h.past = append(h.past, fmt.Sprintf(format, args...))
}

func (h *held) String() string {
	return fmt.Sprintf("session %s (%s; %s)", h.id, h.life, strings.Join(h.past, ", "))
}

func (h *held) newest() string { return h.tokens[len(h.tokens)-1] }

// before is the token n steps before the newest.
func (h *held) before(n int) string { return h.tokens[len(h.tokens)-1-n] }

// receive takes in the answer to redeeming parent. A second answer to the same token
// replaces the first, as in the cookie jar that two tabs share.
func (h *held) receive(parent string, r reply) {
	h.access, h.loose = r.Access, false
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

// superseded reports whether a token is older than the newest. Such a one must not be
// handed out again: it would mean that an acknowledged refresh was forgotten.
func (h *held) superseded(token string) bool {
	return len(h.tokens) > 0 && slices.Contains(h.tokens[:len(h.tokens)-1], token)
}

// settled is the newest token's age in refreshes: how many tokens before it are known to
// be redeemed. It is 0 while an answer is missing.
func (h *held) settled() int {
	if h.loose || h.life != live {
		return 0
	}
	return len(h.tokens) - 1
}

// user is what one client knows of one user.
type user struct {
	id string
	// sessions are those that may be live; ended the others.
	sessions, ended []*held
	// strangers counts mints without an answer: so many sessions may be there that nobody
	// holds a token of.
	strangers int
}

// tidy moves the sessions that are over.
func (u *user) tidy() {
	u.sessions = slices.DeleteFunc(u.sessions, func(h *held) bool {
		if h.life == over {
			u.ended = append(u.ended, h)
		}
		return h.life == over
	})
}

// holders are the sessions with tokens.
func (u *user) holders() (with []*held) {
	for _, h := range u.sessions {
		if len(h.tokens) > 0 {
			with = append(with, h)
		}
	}
	return with
}

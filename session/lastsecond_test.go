package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/session"
	"issuer.example/session/refresh"
)

// lastSecondUses are the uses that mint an access token, some of them without moving the idle end.
// Each is of a session whose refresh token next is not redeemed and whose token last is.
var lastSecondUses = map[string]func(t *testing.T, f *fixture, last, next session.Grant) (session.Grant, error){
	"refresh": func(t *testing.T, f *fixture, _, next session.Grant) (session.Grant, error) {
		return f.svc.Refresh(t.Context(), next.RefreshToken, session.Device{})
	},
	"late retry": func(t *testing.T, f *fixture, last, _ session.Grant) (session.Grant, error) {
		return f.svc.Refresh(t.Context(), last.RefreshToken, session.Device{})
	},
	"read": func(t *testing.T, f *fixture, _, next session.Grant) (session.Grant, error) {
		return access(f, next, f.svc.Read)(t)
	},
	"read, late": func(t *testing.T, f *fixture, last, _ session.Grant) (session.Grant, error) {
		return access(f, last, f.svc.Read)(t)
	},
	"touch": func(t *testing.T, f *fixture, _, next session.Grant) (session.Grant, error) {
		return access(f, next, f.svc.Touch)(t)
	},
	"touch, late": func(t *testing.T, f *fixture, last, _ session.Grant) (session.Grant, error) {
		return access(f, last, f.svc.Touch)(t)
	},
	"reauthenticate": func(t *testing.T, f *fixture, last, _ session.Grant) (session.Grant, error) {
		return f.svc.Reauthenticate(t.Context(), last.View.ID, session.ReauthRequest{ACR: "2"})
	},
}

type look = func(ctx context.Context, token string, from session.Device) (session.Reading, error)

func access(f *fixture, g session.Grant, look look) func(*testing.T) (session.Grant, error) {
	return func(t *testing.T) (session.Grant, error) {
		r, err := look(t.Context(), g.RefreshToken, session.Device{})
		if err != nil {
			return session.Grant{}, err
		}
		return f.svc.Access(r)
	}
}

// However little of a session is left, a use gives a token that ends with the session, or says which end
// it has come to. It never fails otherwise.
func TestLastSecond(t *testing.T) {
	t.Parallel()
	for policy, change := range map[string]func(*session.Config){
		"default":    nil,
		"update_age": func(c *session.Config) { c.Refresh.UpdateAge = c.IdleTimeout },
		"absolute":   func(c *session.Config) { c.AbsoluteTimeout = c.IdleTimeout },
		"window":     func(c *session.Config) { c.Refresh = refresh.Policy{Window: 2 * c.IdleTimeout} },
	} {
		for name, use := range lastSecondUses {
			t.Run(policy+", "+name, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, change)
				for _, began := range []int{0, 1, 700, 999} {
					for _, left := range []int{1, 299, 300, 699, 700, 999, 1000, 1700} {
						f.useBeforeEnd(t, use, time.Duration(began)*time.Millisecond, time.Duration(left)*time.Millisecond)
					}
				}
			})
		}
	}
}

// useBeforeEnd uses a session that began that long after a full second, when that much of it is left.
func (f *fixture) useBeforeEnd(t *testing.T, use func(*testing.T, *fixture, session.Grant, session.Grant) (session.Grant, error), began, left time.Duration) {
	t.Helper()
	f.clock.advance(f.clock.now().Truncate(time.Second).Add(time.Second + began).Sub(f.clock.now()))
	last := f.mint(t, "u1")
	next := last
	if f.config.Refresh.UpdateAge == 0 {
		next = f.refresh(t, last.RefreshToken)
	}
	before := f.view(t, last.View.ID)
	end := before.IdleExpiresAt
	f.clock.advance(end.Add(-left).Sub(f.clock.now()))
	g, err := use(t, f, last, next)
	after := f.view(t, last.View.ID)
	if err != nil && after.ACR != "" {
		t.Errorf("%v after the second, %v before the end: refused, yet changed: %+v", began, left, after)
	}
	switch {
	case errors.Is(err, session.ErrIdle) && end.Before(before.ExpiresAt), errors.Is(err, session.ErrExpired) && end.Equal(before.ExpiresAt):
		if left >= time.Second {
			t.Errorf("%v after the second, %v before the end: %v", began, left, err)
		}
		if jwt.Cause(err) != "" {
			t.Errorf("the error is a verdict on a token: %v", err)
		}
	case err != nil:
		t.Errorf("%v after the second, %v before the end: %v", began, left, err)
	default:
		claims := f.holder(t, g).Claims
		if claims.Expiry.After(after.IdleExpiresAt) || !claims.Expiry.After(f.clock.now()) {
			t.Errorf("%v after the second, %v before the end: the token expires at %v, the session at %v", began, left, claims.Expiry, after.IdleExpiresAt)
		}
	}
}

package session

import (
	"context"
	"errors"
	"strings"

	"issuer.example/jwt"
	"issuer.example/sid"
)

// Holder is who presents an access token: a live session, and what the token says.
type Holder struct {
	View   View
	Claims *jwt.Claims
}

// Authenticate verifies an access token that is meant for the issuer itself and checks
// that its session is live. What the token is refused for is one of package jwt's
// sentinels; a session that has ended gives [ErrRevoked], [ErrExpired] or [ErrIdle].
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Holder, error) {
	return s.authenticate(ctx, accessToken, s.own)
}

func (s *Service) authenticate(ctx context.Context, text string, v *jwt.Verifier) (Holder, error) {
	claims, err := v.Verify(text)
	if err != nil {
		return Holder{}, err
	}
	id, err := sid.Parse(claims.SessionID)
	if err != nil {
		return Holder{}, jwt.ErrClaims
	}
	view, err := s.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound): // forgotten, or from after the backup that was restored
		return Holder{}, ErrRevoked
	case err != nil:
		return Holder{}, err
	case view.User.ID != claims.Subject:
		return Holder{}, jwt.ErrClaims
	case !view.End.IsZero():
		return Holder{}, view.End.refusal()
	}
	return Holder{View: view, Claims: claims}, nil
}

// RequireFresh is [ErrNotFresh] unless the holder's user has authenticated within
// FreshAge. It goes by the session, so that a reauthentication counts at once.
func (s *Service) RequireFresh(h Holder) error {
	if s.now().Sub(h.View.AuthTime) >= s.cfg.FreshAge {
		return ErrNotFresh
	}
	return nil
}

// Introspection is what a token stands for (RFC 7662).
type Introspection struct {
	Active  bool
	Refresh bool        // it is a refresh token
	View    View        // its session, if it is active
	Claims  *jwt.Claims // what it says, if it is an active access token
}

// Introspect says whether a token is good right now. Whatever is wrong with it, it is not
// active; the only error is [ErrUnavailable] (or that of the context).
func (s *Service) Introspect(ctx context.Context, text string) (Introspection, error) {
	if strings.HasPrefix(text, tokenPrefix) {
		view, err := s.Validate(ctx, text, Client{})
		if err != nil {
			return Introspection{}, failure(ctx, err)
		}
		return Introspection{Active: true, Refresh: true, View: view}, nil
	}
	h, err := s.authenticate(ctx, text, s.any)
	if err != nil {
		return Introspection{}, failure(ctx, err)
	}
	return Introspection{Active: true, View: h.View, Claims: h.Claims}, nil
}

// failure keeps what is no verdict on the token.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return nil
}

// sessionOf names the session of an access token or a refresh token that we have issued.
func (s *Service) sessionOf(text string) (sid.ID, error) {
	if strings.HasPrefix(text, tokenPrefix) {
		t, err := s.ring.open(text)
		return t.sid, err
	}
	claims, err := s.any.Verify(text)
	if err != nil {
		return sid.ID{}, err
	}
	id, err := sid.Parse(claims.SessionID)
	if err != nil {
		return sid.ID{}, jwt.ErrClaims
	}
	return id, nil
}

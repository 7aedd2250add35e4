package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"issuer.example/jwt"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// Holder is who presents an access token: its session, which was live, and its claims.
type Holder struct {
	View   View
	Claims *jwt.Claims
}

// Authenticate verifies an access token that is meant for the issuer itself and checks
// that its session is live. An invalid token gives one of package jwt's errors; a session
// that has ended gives [ErrRevoked], [ErrExpired] or [ErrIdle].
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Holder, error) {
	h, err := s.authenticate(ctx, accessToken, s.ownVerifier)
	if err != nil {
		return Holder{}, err
	}
	h.View = s.forHolder(h.View, s.now())
	return h, nil
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
	case errors.Is(err, ErrNotFound): // forgotten, or it began after the backup that was restored
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
// FreshAge. It looks at the session, not the token, so that a reauthentication counts at
// once.
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
	Claims  *jwt.Claims // its claims, if it is an active access token
}

// Introspect says whether a token is good right now. A token that is not, for whatever
// reason, is inactive; the only error is [ErrUnavailable], or that of the context.
func (s *Service) Introspect(ctx context.Context, text string) (Introspection, error) {
	if refresh.IsToken(text) {
		r, err := s.Read(ctx, text, Device{})
		if err != nil {
			return Introspection{}, ignoreRefusal(ctx, err)
		}
		return Introspection{Active: true, Refresh: true, View: r.exact}, nil
	}
	h, err := s.authenticate(ctx, text, s.anyVerifier)
	if err != nil {
		return Introspection{}, ignoreRefusal(ctx, err)
	}
	return Introspection{Active: true, View: h.View, Claims: h.Claims}, nil
}

// ignoreRefusal returns only an error that is no verdict on the token.
func ignoreRefusal(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return nil
}

// NamedSession returns the session that a token names. An access token is not verified for that, so the
// answer can only serve to refuse the token.
func (s *Service) NamedSession(text string) (id sid.ID, ok bool) {
	if refresh.IsToken(text) {
		t, err := s.ring.Open(text)
		return t.SID, err == nil
	}
	_, rest, _ := strings.Cut(text, ".")
	encoded, _, signed := strings.Cut(rest, ".")
	if !signed || len(text) > jwt.MaxTokenSize {
		return sid.ID{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return sid.ID{}, false
	}
	var claims struct {
		SessionID string `json:"sid"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return sid.ID{}, false
	}
	id, err = sid.Parse(claims.SessionID)
	return id, err == nil
}

// Issued reports whether a token was issued here, however long ago.
func (s *Service) Issued(text string) bool {
	_, err := s.sessionOf(text)
	return err == nil
}

// sessionOf returns the session of an access token or a refresh token that was issued here, however long ago.
func (s *Service) sessionOf(text string) (sid.ID, error) {
	if refresh.IsToken(text) {
		t, err := s.ring.Open(text)
		return t.SID, err
	}
	claims, err := jwt.SignedClaims(text, s.cfg.Keys)
	if err != nil {
		return sid.ID{}, err
	}
	id, err := sid.Parse(claims.SessionID)
	if err != nil {
		return sid.ID{}, jwt.ErrClaims
	}
	return id, nil
}

//go:build interop

package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"issuer.example/jwt"
)

// verifiers returns all verifiers.
func verifiers() []verifier {
	return []verifier{
		jose(),
		expressJWT(),
		goOIDC(),
		keyfunc(),
		pyJWT(),
		fastAPIExample(),
		nimbus(),
		jose4j(),
		springSecurity(),
		rubyJWT(),
		modAuthOpenIDC(),
		modAuthOpenIDCIntrospecting(),
	}
}

// leeway is the most that a program allows for the difference of two clocks.
const leeway = 6 * time.Second

// moment is how much longer than the bound a verifier may take on a busy machine.
const moment = 2 * time.Second

func TestVerifiers(t *testing.T) {
	var ready []verifier
	prepared := map[string]bool{}
	for _, v := range verifiers() {
		if v.available(t, prepared) {
			v.tell(t)
			ready = append(ready, v)
		}
	}
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			round(t, alg, ready)
		})
	}
}

// round runs the table for the verifiers with one issuer. They all wait at the same time for
// a key to sign and a token to expire.
func round(t *testing.T, alg jwt.Algorithm, all []verifier) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	i := startIssuer(t, alg)
	var known, others []*service
	for _, v := range all {
		if s := v.start(t, i); v.supports(alg) {
			known = append(known, s)
		} else {
			others = append(others, s)
		}
	}
	unknown(ctx, t, i, others)
	each(t, known, "start", func(s *service) error { return s.serving(ctx) })
	if t.Failed() {
		return
	}
	// A program may take long for its first token, and a token expires soon.
	each(t, known, "a first token", func(s *service) error {
		return within(ctx, patience, func() error { return s.accepts(ctx, i.mint(audience)) })
	})
	good := i.mint(audience)
	each(t, known, "a good token", func(s *service) error { return s.accepts(ctx, good) })
	forged(ctx, t, i, known)
	revocation(ctx, t, i, known)
	rotation(ctx, t, i, known)
	each(t, known, "the good token, expired", func(s *service) error {
		return within(ctx, leeway, func() error { return s.refuses(ctx, good.AccessToken) })
	})
	emergency(ctx, t, i, known)
}

// unknown checks that verifiers refuse an algorithm that they do not support. They may also
// fail to start with it.
func unknown(ctx context.Context, t *testing.T, i *issuer, services []*service) {
	t.Helper()
	each(t, services, "an algorithm that it does not know", func(s *service) error {
		switch err := s.serving(ctx); {
		case errors.Is(err, errEnded) && !s.state().Success():
			return nil
		case err != nil:
			return err
		}
		return s.refuses(ctx, i.mint(audience).AccessToken)
	})
}

// forged checks that verifiers refuse every forgery.
func forged(ctx context.Context, t *testing.T, i *issuer, services []*service) {
	t.Helper()
	f := i.forger()
	each(t, services, "a good token of the forger", func(s *service) error {
		return s.passed(ctx, f.sign(jwt.TypeAccessToken, nil))
	})
	each(t, services, "a token of a clock that is 2 s ahead", func(s *service) error {
		if s.usesIssuersClock {
			return nil
		}
		now := time.Now().Unix()
		return s.passed(ctx, f.sign(jwt.TypeAccessToken, map[string]any{"iat": now + 2, "exp": now + 300}))
	})
	each(t, services, "a real token for another audience", func(s *service) error {
		return s.refuses(ctx, i.mint("https://other.example.com").AccessToken)
	})
	for what, token := range i.others() {
		each(t, services, what, func(s *service) error { return s.refuses(ctx, token) })
	}
	// The documented exceptions must be true too.
	for what, token := range f.forgeries() {
		each(t, services, what, func(s *service) error {
			if _, passes := s.passes[what]; passes {
				return s.passed(ctx, token)
			}
			return s.refuses(ctx, token)
		})
	}
	for what, token := range f.ofAnotherType() {
		each(t, services, what, func(s *service) error {
			if s.anyType != "" {
				return s.passed(ctx, token)
			}
			return s.refuses(ctx, token)
		})
	}
}

// revocation ends a session. Verifiers that introspect or follow the feed refuse its tokens
// soon after; the others cannot know.
func revocation(ctx context.Context, t *testing.T, i *issuer, services []*service) {
	t.Helper()
	ended := i.mint(audience)
	i.call(http.MethodDelete, "/v1/sessions/"+ended.Session.ID, "")
	each(t, services, "the token of a session that has ended", func(s *service) error {
		if s.learnsOfRevocations {
			return within(ctx, moment, func() error { return s.refuses(ctx, ended.AccessToken) })
		}
		return s.accepts(ctx, ended)
	})
}

// rotation rotates the keys. The tokens of the new key are accepted at once, and those of
// the old one still are.
func rotation(ctx context.Context, t *testing.T, i *issuer, services []*service) {
	t.Helper()
	last, first := i.rotate()
	each(t, services, "the first token of a new key", func(s *service) error {
		return within(ctx, s.lag.rotation, func() error { return s.accepts(ctx, first) })
	})
	each(t, services, "the last token of the old key", func(s *service) error { return s.accepts(ctx, last) })
}

// emergency revokes the signing key. Within the max-age of the JWKS its tokens are refused
// (and not because they have expired), and those of the new key are accepted.
func emergency(ctx context.Context, t *testing.T, i *issuer, services []*service) {
	t.Helper()
	good := i.mint(audience)
	each(t, services, "a token before the emergency", func(s *service) error { return s.accepts(ctx, good) })
	minted := time.Now()
	i.operate("keys", "revoke", kid(t, good.AccessToken), "--reason", "stolen")
	each(t, services, "a token whose key has gone", func(s *service) error {
		err := s.forgets(ctx, i, good)
		if err == nil && time.Since(minted) > lifetime-2*time.Second {
			return errors.New("it was refused so late that it may have expired")
		}
		return err
	})
	each(t, services, "a token of the key in its place", func(s *service) error { return s.accepts(ctx, i.mint(audience)) })
}

// forgets returns an error if the program accepts a revoked key for too long.
func (s *service) forgets(ctx context.Context, i *issuer, of grant) error {
	bound := i.maxAge + s.lag.withdrawal + moment
	refused := func() error { return s.refuses(ctx, of.AccessToken) }
	if s.lag.untilUnknownKey {
		if within(ctx, bound, refused) == nil {
			return errors.New("it was refused before the program has met another key")
		}
		return errors.Join(s.accepts(ctx, i.mint(audience)), refused())
	}
	if err := within(ctx, bound, refused); err != nil {
		return fmt.Errorf("%w, after %v", err, bound)
	}
	return nil
}

func want(got, want int) error {
	if got != want {
		return fmt.Errorf("%d, want %d", got, want)
	}
	return nil
}

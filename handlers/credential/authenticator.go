package credential

import (
	"log/slog"
	"time"

	"issuer.example/client"
	"issuer.example/handlers/exchange"
	"issuer.example/session"
)

// Config is what an Authenticator is made of.
type Config struct {
	Sessions *session.Service // required
	Clients  *client.Registry // required
	Issuer   string           // the issuer's URL, which is an allowed origin
	Cookies  Cookies
	// AllowedOrigins are further origins whose pages may call with credentials.
	AllowedOrigins []string
	Logger         *slog.Logger     // required
	Now            func() time.Time // required
}

// Authenticator finds out who calls. It is safe for concurrent use.
type Authenticator struct {
	Jar     *Jar
	Origins *Origins
	Clients *Clients

	sessions *session.Service
	tokens   *chooser
	failures *failures
	now      func() time.Time
}

// New makes an Authenticator. The error says what is wrong with the configuration.
func New(cfg Config) (*Authenticator, error) {
	jar, err := newJar(cfg.Cookies, cfg.Issuer, cfg.Logger)
	if err != nil {
		return nil, err
	}
	origins, err := newOrigins(cfg.Issuer, cfg.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	failures, err := newFailures(cfg.Now)
	if err != nil {
		return nil, err
	}
	return &Authenticator{
		Jar: jar, Origins: origins,
		Clients:  &Clients{registry: cfg.Clients, failures: failures, now: cfg.Now},
		sessions: cfg.Sessions, tokens: &chooser{sessions: cfg.Sessions, jar: jar},
		failures: failures, now: cfg.Now,
	}, nil
}

// Continue makes a continue the work of another Authenticator, whose place it takes: it counts
// failures where that one counts them, and knows when the service keys were last used. It must
// be called before a is used.
func (a *Authenticator) Continue(other *Authenticator) {
	a.failures, a.Clients.failures = other.failures, other.failures
	a.Clients.registry.ShareUses(other.Clients.registry)
}

// CountForgery counts err if a forged credential caused it. It returns err, or the refusal 429 if
// there were too many.
func (a *Authenticator) CountForgery(x *exchange.Exchange, err error) error {
	if !isForgery(err) {
		return err
	}
	return a.failures.count(x, err)
}

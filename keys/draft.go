package keys

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"issuer.example/jwt"
	"issuer.example/secret"
)

// draft is a change of the set of keys that is not stored yet.
type draft struct {
	cfg     *Config
	maker   *keyMaker
	now     time.Time
	base    set // what is stored, not to be changed
	set     set
	private map[string]privateKey
	changed bool
	by      string // who asks for the change; "" for the schedule
	revoked string // the id of the key that an administrator withdraws
	// events are logged once the change is stored.
	events []slog.Record
}

func newDraft(cfg *Config, maker *keyMaker, now time.Time, from *snapshot) *draft {
	d := &draft{cfg: cfg, maker: maker, now: now, private: make(map[string]privateKey)}
	if from != nil {
		d.base, d.set = from.set, from.set.clone()
		maps.Copy(d.private, from.private)
	}
	return d
}

// storedNow is now in the form in which it is stored: UTC, without the monotonic reading.
func (d *draft) storedNow() time.Time { return d.now.Round(0).UTC() }

// log notes an event about a key, which is logged when the change is stored.
func (d *draft) log(message string, r *record) {
	event := slog.NewRecord(d.now, slog.LevelInfo, message, 0)
	event.AddAttrs(slog.String("kid", r.ID), slog.String("alg", string(r.Algorithm)))
	if r.Reason != "" {
		event.AddAttrs(slog.String("reason", r.Reason))
	}
	d.events = append(d.events, event)
}

// encode seals the private keys that are not sealed by the first secret, and writes the
// document.
func (d *draft) encode(first secret.Secret) ([]byte, error) {
	d.set.forget()
	for kid, p := range d.private {
		if p.sealed == "" || p.reseal {
			sealed, err := seal(p.key, first)
			if err != nil {
				return nil, err
			}
			p.sealed, p.reseal = sealed, false
			d.private[kid] = p
		}
		d.set.find(kid).Sealed = p.sealed
	}
	return encode(d.set, first)
}

// writeLog logs the events of a draft that was stored.
func (d *draft) writeLog(ctx context.Context) {
	handler := d.cfg.Logger.Handler()
	for _, event := range d.events {
		if handler.Enabled(ctx, event.Level) {
			_ = handler.Handle(ctx, event) // the change is stored, whether or not it can be logged
		}
	}
}

// keyMaker generates at most one key for one change, however often the change is retried:
// an RSA key can take seconds.
type keyMaker struct{ made *privateKey }

func (m *keyMaker) key(alg jwt.Algorithm) (privateKey, error) {
	if m.made == nil {
		p, err := generate(alg)
		if err != nil {
			return privateKey{}, err
		}
		m.made = &p
	}
	return *m.made, nil
}

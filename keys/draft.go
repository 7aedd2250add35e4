package keys

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"issuer.example/jwt"
)

// draft is a change of the keys that is not stored yet.
type draft struct {
	cfg     *Config
	forge   *forge
	now     time.Time
	base    set // what is stored, not to be changed
	set     set
	ring    map[string]material
	changed bool
	revoked string // the id of the key that an administrator withdraws
	// events are logged once the change is stored.
	events []slog.Record
}

func newDraft(cfg *Config, f *forge, now time.Time, from *snapshot) *draft {
	d := &draft{cfg: cfg, forge: f, now: now, ring: make(map[string]material)}
	if from != nil {
		d.base, d.set = from.set, from.set.clone()
		maps.Copy(d.ring, from.ring)
	}
	return d
}

// instant is now as it is stored: UTC, without the monotonic reading.
func (d *draft) instant() time.Time { return d.now.Round(0).UTC() }

func (d *draft) log(message string, r *record) {
	event := slog.NewRecord(d.now, slog.LevelInfo, message, 0)
	event.AddAttrs(slog.String("kid", r.ID), slog.String("alg", string(r.Algorithm)))
	if r.Reason != "" {
		event.AddAttrs(slog.String("reason", r.Reason))
	}
	d.events = append(d.events, event)
}

// encode seals what is not sealed under the first secret, and writes the document.
func (d *draft) encode() ([]byte, error) {
	d.set.forget()
	first := d.cfg.Secrets[0]
	for kid, m := range d.ring {
		if m.sealed == "" || m.foreign {
			sealed, err := seal(m.private, first)
			if err != nil {
				return nil, err
			}
			m.sealed, m.foreign = sealed, false
			d.ring[kid] = m
		}
		d.set.find(kid).Sealed = m.sealed
	}
	return encode(d.set, first)
}

func (d *draft) emit(ctx context.Context) {
	handler := d.cfg.Logger.Handler()
	for _, event := range d.events {
		if handler.Enabled(ctx, event.Level) {
			_ = handler.Handle(ctx, event) // a log that fails must not undo what is stored
		}
	}
}

// forge makes at most one key for one change, however often the change is tried:
// an RSA key takes long, and a lost race is no reason to make another.
type forge struct{ made *material }

func (f *forge) make(alg jwt.Algorithm) (material, error) {
	if f.made == nil {
		m, err := generate(alg)
		if err != nil {
			return material{}, err
		}
		f.made = &m
	}
	return *f.made, nil
}

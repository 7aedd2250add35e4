package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"issuer.example/session"
	"issuer.example/sid"
	"issuer.example/store"
	"issuer.example/store/bolt/internal/file"
)

// Export reads a data file through and calls fn with its content. It is [ErrLocked] while another
// process has the file open, and nobody else can open it until fn returns. (One of an older
// schema is upgraded before.)
//
// A file with sessions that cannot be read is [ErrDamaged], unless skipDamaged has them left out. No
// damage of anything else is ever skipped: what was revoked could be valid again.
func Export(ctx context.Context, path string, skipDamaged bool, fn func(store.Archive) error) error {
	if err := export(ctx, path, skipDamaged, fn); err != nil {
		return fmt.Errorf("reading store %s: %w", path, err)
	}
	return nil
}

func export(ctx context.Context, path string, skipDamaged bool, fn func(store.Archive) error) (err error) {
	log := slog.New(slog.DiscardHandler)
	f, err := file.OpenLocked(ctx, path, file.Options{LockWait: time.Second, Logger: log})
	if err != nil {
		return err
	}
	db := &DB{cfg: Config{Path: path, Logger: log}}
	h, err := db.adopt(ctx, f, true, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.abandon()) }()
	a := &archive{h: h}
	if err := a.inspect(ctx); err != nil {
		return err
	}
	if a.totals.Unreadable > 0 && !skipDamaged {
		return fmt.Errorf("%w: %d sessions cannot be read, of which the first is: %w", ErrDamaged, a.totals.Unreadable, a.damage)
	}
	return fn(a)
}

// archive reads a whole file.
type archive struct {
	h      *handle
	totals store.Totals
	damage error // of the first session that cannot be read
	dues   []due // by identifier
}

// due is when upkeep is to look at a session.
type due struct {
	id sid.ID
	at int64 // milliseconds
}

// errEnough ends a reading of which no more is wanted.
var errEnough = errors.New("enough")

// checkEvery is how many items are read between looks at the context.
const checkEvery = 1024

// inspect counts what there is, and reads when sessions are due.
func (a *archive) inspect(ctx context.Context) error {
	return a.h.view(func(v *view) error {
		for _, step := range []func(context.Context, *view) error{a.count, a.countLost, a.readNumbers, a.readDues} {
			if err := step(ctx, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *archive) count(ctx context.Context, v *view) error {
	return v.each(ctx, sessions, func(key, _ []byte) error {
		s, err := v.archived(key)
		switch {
		case unreadable(err):
			a.skip(err)
		case err != nil:
			return err
		case s.End.IsZero():
			a.totals.Live++
		default:
			a.totals.Ended++
		}
		return nil
	})
}

// skip counts a session that cannot be read.
func (a *archive) skip(err error) {
	a.totals.Unreadable++
	a.damage = cmp.Or(a.damage, err)
}

// countLost counts the sessions whose record is missing.
func (a *archive) countLost(ctx context.Context, v *view) error {
	for _, b := range []bucket{states, ends} {
		err := v.each(ctx, b, func(key, _ []byte) error {
			if !v.has(sessions, key) {
				a.skip(fmt.Errorf("%w: session %x has no record", ErrDamaged, key))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readNumbers reads what is counted.
func (a *archive) readNumbers(ctx context.Context, v *view) error {
	now, err := v.counters()
	if err != nil {
		return err
	}
	t := &a.totals
	t.Newest, t.Latest, t.Fact, t.Revocation = now.last, fromMillis(now.newest), now.fact, now.revocation
	if t.FirstFact, err = v.firstNumber(facts, now.fact); err != nil {
		return err
	}
	if t.FirstRevocation, err = v.firstNumber(revocations, now.revocation); err != nil {
		return err
	}
	return v.each(ctx, marks, func(_, _ []byte) error { t.Marks++; return nil })
}

func (a *archive) readDues(ctx context.Context, v *view) error {
	a.dues = make([]due, 0, a.totals.Live+a.totals.Ended)
	err := v.each(ctx, byDue, func(key, _ []byte) error {
		if len(key) == 8+len(sid.ID{}) {
			a.dues = append(a.dues, due{id: sid.ID(key[8:]), at: getMillis(key[2:])})
		}
		return nil
	})
	slices.SortStableFunc(a.dues, func(x, y due) int { return x.id.Compare(y.id) })
	return err
}

// dueAt is when upkeep is to look at a session: when it would end, if the file does not say.
func (a *archive) dueAt(s *session.Snapshot) time.Time {
	i, ok := slices.BinarySearchFunc(a.dues, s.Session.ID, func(d due, id sid.ID) int { return d.id.Compare(id) })
	if ok {
		return fromMillis(a.dues[i].at)
	}
	at, _ := firstDue(*s, nil) // without a judge it does not fail
	return at
}

// Items implements [store.Archive].
func (a *archive) Items(ctx context.Context) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		err := a.h.view(func(v *view) error {
			return a.items(ctx, v, func(i store.Item) error {
				if !yield(i, nil) {
					return errEnough
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(store.Item{}, err)
		}
	}
}

func (a *archive) items(ctx context.Context, v *view, give func(store.Item) error) error {
	totals := a.totals
	if err := give(store.Item{Totals: &totals}); err != nil {
		return err
	}
	set, err := v.keys()
	if err != nil {
		return err
	}
	if err := give(store.Item{Keys: &set}); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *view, func(store.Item) error) error{a.marks, a.facts, a.sessions} {
		if err := part(ctx, v, give); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) marks(ctx context.Context, v *view, give func(store.Item) error) error {
	return v.each(ctx, marks, func(key, raw []byte) error {
		m, err := decodeMark(key, raw)
		if err != nil {
			return err
		}
		return give(store.Item{Mark: &store.Mark{Mark: m.Mark, Settled: m.settled}})
	})
}

func (a *archive) facts(ctx context.Context, v *view, give func(store.Item) error) error {
	return v.each(ctx, facts, func(key, raw []byte) error {
		chunk, err := decodeChunk(key, raw)
		if err != nil {
			return err
		}
		for i := range chunk {
			if err := give(store.Item{Fact: &chunk[i]}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *archive) sessions(ctx context.Context, v *view, give func(store.Item) error) error {
	return v.each(ctx, sessions, func(key, _ []byte) error {
		s, err := v.archived(key)
		switch {
		case unreadable(err):
			return nil // it was counted
		case err != nil:
			return err
		}
		return give(store.Item{Session: &store.Session{Snapshot: s, DueAt: a.dueAt(&s)}})
	})
}

// archived reads the session that a key of the bucket of sessions is of.
func (v *view) archived(key []byte) (session.Snapshot, error) {
	if len(key) != len(sid.ID{}) {
		return session.Snapshot{}, fmt.Errorf("%w: a session with a key of %d bytes", ErrDamaged, len(key))
	}
	return v.session(sid.ID(key))
}

// each calls fn with every key of a bucket.
func (v *view) each(ctx context.Context, b bucket, fn func(key, value []byte) error) error {
	n := 0
	return v.bucket(b).ForEach(func(key, value []byte) error {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return fn(key, value)
	})
}

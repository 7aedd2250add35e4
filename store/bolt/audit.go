package bolt

import (
	"bytes"
	"context"
	"fmt"

	"issuer.example/sid"
)

// audit reads every record, and checks that the buckets and the counters agree.
func (h *handle) audit(ctx context.Context) error {
	return h.view(func(v *view) error { return (&audit{view: v, ctx: ctx}).run() })
}

// audit is one reading of every record.
type audit struct {
	*view
	ctx         context.Context //nolint:containedctx // it lives as long as one call
	live, ended int64           // sessions without and with a recorded end
}

func (a *audit) run() error {
	for _, step := range []func() error{a.pages, a.sessions, a.users, a.dues, a.facts, a.revocations, a.marks, a.keys} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// pages runs bbolt's own check: every page is either in use or free.
func (a *audit) pages() error {
	var first error
	for err := range a.tx.Check() { // to its end: it blocks otherwise
		if first == nil {
			first = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return first
}

// each calls fn with every key of a bucket.
func (a *audit) each(b bucket, fn func(key, value []byte) error) (n int64, err error) {
	err = a.bucket(b).ForEach(func(key, value []byte) error {
		if n++; n%1024 == 0 && a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if err := fn(key, value); err != nil {
			return fmt.Errorf("bucket %s: %w", b.name(), err)
		}
		return nil
	})
	return n, err
}

// sessions checks that each session has a record and either a state or an end, and is in
// the index of its user.
func (a *audit) sessions() error {
	_, err := a.each(sessions, func(key, _ []byte) error {
		if len(key) != len(sid.ID{}) {
			return fmt.Errorf("%w: a key of %d bytes", ErrDamaged, len(key))
		}
		snap, err := a.session(sid.ID(key))
		if err != nil {
			return err
		}
		index := byUserEnded
		if snap.End.IsZero() {
			index = byUser
			a.live++
		} else {
			a.ended++
		}
		if !a.has(index, userKey(snap.Session.User.ID, snap.Session.ID)) {
			return fmt.Errorf("%w: session %s is not among its user's", ErrDamaged, snap.Session.ID)
		}
		if snap.Session.ID.Compare(a.h.counters.last) > 0 {
			return fmt.Errorf("%w: session %s is newer than the newest", ErrDamaged, snap.Session.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.live != a.h.counters.live {
		return fmt.Errorf("%w: %d sessions are live, and %d were counted", ErrDamaged, a.live, a.h.counters.live)
	}
	return nil
}

// users checks that states, ends and the indices hold nothing else. What belongs there
// has been found.
func (a *audit) users() error {
	for b, want := range map[bucket]int64{states: a.live, byUser: a.live, ends: a.ended, byUserEnded: a.ended} {
		n, err := a.each(b, func(_, _ []byte) error { return nil })
		if err != nil {
			return err
		}
		if n != want {
			return fmt.Errorf("%w: bucket %s has %d keys, not %d", ErrDamaged, b.name(), n, want)
		}
	}
	return nil
}

// dues checks that each session will be looked at once.
func (a *audit) dues() error {
	n, err := a.each(byDue, func(key, _ []byte) error {
		if len(key) != 8+len(sid.ID{}) || !a.has(sessions, key[8:]) {
			return fmt.Errorf("%w: key %x is no session's", ErrDamaged, key)
		}
		return nil
	})
	if err == nil && n != a.live+a.ended {
		return fmt.Errorf("%w: %d sessions are due, of %d", ErrDamaged, n, a.live+a.ended)
	}
	return err
}

// facts checks that the journal of facts has no gaps. A file of schema 1 has none.
func (a *audit) facts() error {
	if a.h.schema == 1 {
		return nil
	}
	var last uint64
	_, err := a.each(facts, func(key, value []byte) error {
		chunk, err := decodeChunk(key, value)
		if err != nil {
			return err
		}
		if last != 0 && chunk[0].Number != last+1 {
			return fmt.Errorf("%w: fact %d follows %d", ErrDamaged, chunk[0].Number, last)
		}
		last = chunk[len(chunk)-1].Number
		return nil
	})
	if err == nil && last != 0 && last != a.h.counters.fact {
		return fmt.Errorf("%w: the facts end with %d, not with %d", ErrDamaged, last, a.h.counters.fact)
	}
	return err
}

// revocations checks that the index of revocations has no gaps and leads to their facts. In
// a file of schema 1 it is a log that has them itself.
func (a *audit) revocations() error {
	var last uint64
	read := (&factReader{view: a.view}).revocation
	if a.h.schema == 1 {
		read = decodeEntryV1
	}
	_, err := a.each(revocations, func(key, value []byte) error {
		f, err := read(key, value)
		if err != nil {
			return err
		}
		if last != 0 && f.Revocation != last+1 {
			return fmt.Errorf("%w: revocation %d follows %d", ErrDamaged, f.Revocation, last)
		}
		last = f.Revocation
		return nil
	})
	if err == nil && last != 0 && last != a.h.counters.revocation {
		return fmt.Errorf("%w: the revocations end with %d, not with %d", ErrDamaged, last, a.h.counters.revocation)
	}
	return err
}

func (a *audit) keys() error {
	_, err := a.each(keySet, func(key, value []byte) error {
		if !bytes.Equal(key, []byte(keyDocument)) {
			return fmt.Errorf("%w: key %q", ErrDamaged, key)
		}
		_, err := decodeKeys(value)
		return err
	})
	return err
}

// marks checks that each mark stands where its work is found, and nothing else does.
func (a *audit) marks() error {
	n := 0
	_, err := a.each(marks, func(key, value []byte) error {
		n++
		mark, err := decodeMark(key, value)
		if err != nil {
			return err
		}
		if mark.SID.Compare(a.h.counters.last) > 0 {
			return fmt.Errorf("%w: a mark is newer than the newest session", ErrDamaged)
		}
		if !a.has(marksToDo, toDoKey(key, &mark)) {
			return fmt.Errorf("%w: nothing is to be done with a mark", ErrDamaged)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = a.each(marksToDo, func([]byte, []byte) error { n--; return nil })
	if err == nil && n != 0 {
		return fmt.Errorf("%w: something is to be done with a mark that is not there", ErrDamaged)
	}
	return err
}

package bolt

import (
	"context"

	"issuer.example/revocation"
)

// Entries returns up to limit entries of the revocation log whose number is greater than
// after, in order and without gaps, and the number of the oldest entry that is still kept
// (the next one to be given, when none is).
func (db *DB) Entries(
	ctx context.Context, after uint64, limit int,
) (entries []revocation.Entry, first uint64, err error) {
	err = db.view(ctx, func(v *view) (err error) {
		entries, first, err = v.entries(after, limit)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return entries, first, nil
}

func (v *view) entries(after uint64, limit int) (entries []revocation.Entry, first uint64, err error) {
	defer v.catch(&err)
	counters, err := decodeCounters(v.get(meta, []byte(keyCounters)))
	if err != nil {
		return nil, 0, err
	}
	first = counters.seq + 1
	c := v.cursor(revocations)
	if k, raw := c.First(); k != nil {
		oldest, err := decodeEntry(k, raw)
		if err != nil {
			return nil, 0, err
		}
		first = oldest.Seq
	}
	if after >= counters.seq {
		return nil, first, nil
	}
	for k, raw := c.Seek(seqKey(after + 1)); k != nil && len(entries) < limit; k, raw = c.Next() {
		entry, err := decodeEntry(k, raw)
		if err != nil {
			return nil, 0, err
		}
		entries = append(entries, entry)
	}
	return entries, first, nil
}

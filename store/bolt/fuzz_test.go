package bolt

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// Bytes from disk may be anything. Each decoder either says that they are damaged or gives
// a value that comes back the same when it is stored again; none of them panics.

// sound fails unless the error is nil or says that the file is damaged, and reports
// whether it is nil.
func sound(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, ErrDamaged) {
		t.Errorf("not damage but %v", err)
	}
	return err == nil
}

// same fails unless a value came back as it was.
func same(t *testing.T, before, after any, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("%+v came back as %+v, %v", before, after, err)
	}
}

func sampleRecord() session.Session {
	now := time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC)
	return session.Session{
		ID: sid.ID{15: 1}, User: session.User{ID: "u1", Email: "a@example.com", Name: "A", Image: "i"},
		ClientID: "app", Scope: "read write", Claims: []byte(`{"a":1}`), Audience: []string{"x", "y"}, AMR: []string{"pwd"}, ACR: "1",
		Label: "l", IP: netip.MustParseAddr("2001:db8::1"), UserAgent: "ua",
		CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Hour), IdleTimeout: time.Minute,
	}
}

func FuzzRecord(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	full, elsewhere := sampleRecord(), session.Device{IP: netip.MustParseAddr("192.0.2.1"), UserAgent: "b"}
	small := session.Session{User: session.User{ID: "u"}, CreatedAt: full.CreatedAt, ExpiresAt: full.ExpiresAt}
	redeemed := refresh.State{RedeemedAt: full.CreatedAt}
	for _, s := range []session.Session{full, small} {
		for _, st := range []session.State{
			{},
			{State: redeemed, RedeemedFrom: session.Device{UserAgent: full.UserAgent}, LastSeenAt: full.ExpiresAt},
			{State: redeemed, RedeemedFrom: elsewhere, LastSeenAt: full.CreatedAt, Reuse: session.Reuse{Generation: 3, From: elsewhere}},
		} {
			b, err := c.encode(&s, &st)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			f.Add(b[:len(b)-1])
		}
	}
	f.Add([]byte{0xf6})                   // null
	f.Add([]byte{0xa1, 0x18, 0x63, 0x00}) // a key of another version
	f.Add(append([]byte{0xb9, 0xff, 0xff}, make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, at, err := c.decode(full.ID, b)
		if !sound(t, err) {
			return
		}
		st := session.State{State: redeemed, LastSeenAt: redeemed.RedeemedAt}
		at.complete(&s, &st)
		again, err := c.encode(&s, &st)
		if err != nil {
			t.Fatalf("%+v cannot be stored again: %v", s, err)
		}
		after, at, err := c.decode(full.ID, again)
		same(t, s, after, err)
		stored := session.State{State: redeemed, LastSeenAt: redeemed.RedeemedAt}
		at.complete(&after, &stored)
		same(t, st, stored, nil)
	})
}

func FuzzState(f *testing.F) {
	now := sampleRecord().CreatedAt
	for _, ip := range []netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")} {
		raw := encodeState(&session.State{
			State: refresh.State{
				Generation: 1<<32 - 1, Branch: refresh.Branch{9: 1}, KeyID: 7, RedeemedAt: now, Apart: refresh.MaxGenerations,
			},
			RedeemedFrom: session.Device{IP: ip}, LastSeenAt: now, SeenBefore: now, WasDue: ip.Is4(),
		})
		f.Add(raw[:])
		raw[0] &= 7 // of schema 2
		f.Add(raw[:])
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := decodeState(sid.ID{}, b)
		if !sound(t, err) {
			return
		}
		var (
			s  session.Session
			at places
		)
		at.complete(&s, &st)
		_, after, err := storeState(&s, &st)
		same(t, st, after, err)
	})
}

func FuzzEnd(f *testing.F) {
	for _, reason := range append(reasonCodes[:], "another", session.Reason(strings.Repeat("x", 300))) {
		f.Add(encodeEnd(session.End{At: sampleRecord().CreatedAt, Reason: reason}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end, err := decodeEnd(sid.ID{}, b)
		if !sound(t, err) {
			return
		}
		after, err := decodeEnd(sid.ID{}, encodeEnd(end))
		same(t, end, after, err)
	})
}

// sampleFacts are one of each kind, with all that it can have.
func sampleFacts() []fact.Fact {
	now := sampleRecord().CreatedAt
	return []fact.Fact{
		{Kind: fact.Created, At: now, SID: sid.ID{15: 1}, By: "web"},
		{Kind: fact.Ended, At: now, SID: sid.ID{15: 1}, What: "sign_out", Revocation: 300, Until: now.Add(time.Minute)},
		{Kind: fact.Ended, At: now, SID: sid.ID{15: 2}, What: "expired"},
		{Kind: fact.Marked, At: now, SID: sid.ID{15: 3}, Scope: revocation.UserScope("u1"), What: "another", By: "b", Revocation: 1, Until: now},
		{Kind: fact.Marked, At: now, SID: sid.ID{15: 3}, Scope: revocation.EverythingScope(), What: "signing_key_revoked"},
		{Kind: fact.KeyChanged, At: now, KeyID: "k1", What: "active"},
		{Kind: fact.Changed, At: now, SID: sid.ID{15: 1}, What: strings.Repeat("x", 255)},
		{Kind: fact.Administered, What: "backup", By: "admin"},
	}
}

func FuzzFacts(f *testing.F) {
	all := sampleFacts()
	f.Add(numberKey(7), encodeChunk(all, 1))
	for i := range all {
		f.Add(numberKey(1), encodeChunk(all[i:i+1], 1))
	}
	f.Fuzz(func(t *testing.T, key, b []byte) {
		facts, err := decodeChunk(key, b)
		if !sound(t, err) {
			return
		}
		after, err := decodeChunk(numberKey(facts[0].Number), encodeChunk(facts, getMillis(b)))
		same(t, facts, after, err)
	})
}

func FuzzEntryOfSchema1(f *testing.F) {
	f.Add(numberKey(7), append(append([]byte{2}, make([]byte, 28)...), 1, 'u'))
	f.Add(numberKey(7), append(append([]byte{1}, make([]byte, 28)...), 1))
	f.Fuzz(func(t *testing.T, key, b []byte) {
		e, err := decodeEntryV1(key, b)
		if !sound(t, err) {
			return
		}
		e.Number = 1
		after, err := decodeChunk(numberKey(1), encodeChunk([]fact.Fact{e}, 1))
		if e.Revocation > 0 {
			same(t, []fact.Fact{e}, after, err)
		}
	})
}

func FuzzMark(f *testing.F) {
	now := sampleRecord().CreatedAt
	for _, m := range []markRow{
		{Mark: revocation.Mark{Scope: revocation.UserScope("u1"), SID: sid.ID{15: 1}, At: now, Until: now, Reason: "sign_out"}},
		{Mark: revocation.Mark{Scope: revocation.EverythingScope(), SID: sid.ID{0: 1}, Reason: "another"}, settled: true},
	} {
		f.Add(markKey(m.Scope), encodeMark(&m))
	}
	f.Fuzz(func(t *testing.T, key, b []byte) {
		m, err := decodeMark(key, b)
		if !sound(t, err) {
			return
		}
		after, err := decodeMark(markKey(m.Scope), encodeMark(&m))
		same(t, m, after, err)
	})
}

func FuzzCounters(f *testing.F) {
	f.Add(counters{}.encode())
	f.Add(counters{live: 1<<63 - 1, revocation: 1<<64 - 1, last: sid.ID{15: 1}, fact: 1<<64 - 1, newest: maxMillis}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCounters(b)
		if sound(t, err) && !bytes.Equal(c.encode(), b) {
			t.Errorf("%x came back as %x", b, c.encode())
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(append(numberKey(1), "document"...))
	f.Add(numberKey(0))
	f.Fuzz(func(t *testing.T, b []byte) {
		stored, err := decodeKeys(b)
		if sound(t, err) && b != nil && !bytes.Equal(append(numberKey(stored.Version), stored.Document...), b) {
			t.Errorf("%x came back as %+v", b, stored)
		}
		if b == nil && !reflect.DeepEqual(stored, keys.Stored{}) {
			t.Errorf("nothing came back as %+v", stored)
		}
	})
}

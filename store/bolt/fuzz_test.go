package bolt

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
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
		ClientID: "app", Claims: []byte(`{"a":1}`), Audience: []string{"x", "y"}, AMR: []string{"pwd"}, ACR: "1",
		Label: "l", IP: netip.MustParseAddr("2001:db8::1"), UserAgent: "ua",
		CreatedAt: now, AuthTime: now, ExpiresAt: now.Add(time.Hour), IdleTimeout: time.Minute,
	}
}

func FuzzRecord(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	full := sampleRecord()
	small := session.Session{User: session.User{ID: "u"}, CreatedAt: full.CreatedAt, ExpiresAt: full.ExpiresAt}
	for _, s := range []session.Session{full, small} {
		b, err := c.encode(&s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte{0xf6})                   // null
	f.Add([]byte{0xa1, 0x18, 0x63, 0x00}) // a key of another version
	f.Add(append([]byte{0xb9, 0xff, 0xff}, make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := c.decode(full.ID, b)
		if !sound(t, err) {
			return
		}
		again, err := c.encode(&s)
		if err != nil {
			t.Fatalf("%+v cannot be stored again: %v", s, err)
		}
		after, err := c.decode(full.ID, again)
		same(t, s, after, err)
	})
}

func FuzzState(f *testing.F) {
	now := sampleRecord().CreatedAt
	for _, ip := range []netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")} {
		raw := encodeState(&session.State{
			Generation: 1<<32 - 1, Branch: session.Branch{9: 1}, KeyID: 7, RedeemedAt: now, LastSeenAt: now, LastIP: ip,
		})
		f.Add(raw[:])
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := decodeState(sid.ID{}, b)
		if !sound(t, err) {
			return
		}
		raw := encodeState(&st)
		after, err := decodeState(sid.ID{}, raw[:])
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

func FuzzEntry(f *testing.F) {
	now := sampleRecord().CreatedAt
	for _, scope := range []revocation.Scope{
		{Kind: revocation.KindSession}, revocation.UserScope("u1"), revocation.ClientScope("app"), revocation.EverythingScope(),
	} {
		f.Add(seqKey(7), encodeEntry(&revocation.Entry{
			Scope: scope, SID: sid.ID{15: 1}, At: now, Until: now.Add(time.Minute), Reason: "another",
		}))
	}
	f.Fuzz(func(t *testing.T, key, b []byte) {
		e, err := decodeEntry(key, b)
		if !sound(t, err) {
			return
		}
		after, err := decodeEntry(seqKey(e.Seq), encodeEntry(&e))
		same(t, e, after, err)
	})
}

func FuzzMark(f *testing.F) {
	now := sampleRecord().CreatedAt
	for _, m := range []revocation.Mark{
		{Scope: revocation.UserScope("u1"), SID: sid.ID{15: 1}, At: now, Until: now, Reason: "sign_out"},
		{Scope: revocation.EverythingScope(), SID: sid.ID{0: 1}, Reason: "another", Settled: true},
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
	f.Add(counters{live: 1<<63 - 1, seq: 1<<64 - 1, last: sid.ID{15: 1}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCounters(b)
		if sound(t, err) && !bytes.Equal(c.encode(), b) {
			t.Errorf("%x came back as %x", b, c.encode())
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add(append(seqKey(1), "document"...))
	f.Add(seqKey(0))
	f.Fuzz(func(t *testing.T, b []byte) {
		stored, err := decodeKeys(b)
		if sound(t, err) && b != nil && !bytes.Equal(append(seqKey(stored.Version), stored.Document...), b) {
			t.Errorf("%x came back as %+v", b, stored)
		}
		if b == nil && !reflect.DeepEqual(stored, keys.Stored{}) {
			t.Errorf("nothing came back as %+v", stored)
		}
	})
}

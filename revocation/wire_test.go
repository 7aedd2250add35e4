package revocation_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"issuer.example/revocation"
	"issuer.example/sid"
)

const issuer = "https://id.example.com"

var at = time.UnixMilli(1_700_000_000_123).UTC()

func id(t interface{ Fatal(...any) }, text string) sid.ID {
	parsed, err := sid.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func event(t *testing.T, scope revocation.Scope) revocation.Event {
	t.Helper()
	return revocation.Event{
		Issuer: issuer, IssuedAt: time.Unix(1_700_000_000, 0).UTC(),
		Prev: id(t, "018bcfe5-67ff-7000-8000-00000000002a"),
		Entry: revocation.Entry{
			Seq: 42, Scope: scope, SID: id(t, "018bcfe5-6800-7000-8000-0123456789ab"),
			At: at, Until: at.Add(6 * time.Minute), Reason: "sign_out",
		},
	}
}

// The event is the example of docs/feed.md.
func TestEventIsWhatTheDocumentShows(t *testing.T) {
	payload, err := event(t, revocation.Scope{Kind: revocation.KindSession}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
      "iss": "https://id.example.com",
      "iat": 1700000000,
      "jti": "42.018bcfe5-6800-7000-8000-0123456789ab",
      "sub_id": {"format": "opaque", "id": "018bcfe5-6800-7000-8000-0123456789ab"},
      "events": {
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {
          "event_timestamp": 1700000000,
          "reason_admin": {"en": "sign_out"},
          "seq": 42,
          "at_ms": 1700000000123,
          "until": 1700000361,
          "prev": "018bcfe5-67ff-7000-8000-00000000002a",
          "reason": "sign_out"
        }
      }
    }`
	if diff := cmp.Diff(members(t, []byte(want)), members(t, payload)); diff != "" {
		t.Error(diff)
	}
}

func members(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSubjectsOfMarks(t *testing.T) {
	for want, scope := range map[string]revocation.Scope{
		`{"format":"complex","user":{"format":"iss_sub","iss":"` + issuer + `","sub":"u\"1"}}`: revocation.UserScope(`u"1`),
		`{"format":"complex","application":{"format":"opaque","id":"app"}}`:                    revocation.ClientScope("app"),
		`{"format":"complex","tenant":{"format":"opaque","id":"` + issuer + `"}}`:              revocation.EverythingScope(),
	} {
		payload, err := event(t, scope).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(members(t, []byte(want))), members(t, payload)["sub_id"]); diff != "" {
			t.Error(diff)
		}
	}
}

func drawID(t *rapid.T) sid.ID {
	millis := rapid.Int64Range(0, 1<<47).Draw(t, "ms")
	return sid.NewGenerator(func() time.Time { return time.UnixMilli(millis) }).Next()
}

func drawEntry(t *rapid.T) revocation.Entry {
	name := rapid.StringMatching(`[ -~äß€]{1,60}`)
	scope := rapid.SampledFrom([]func() revocation.Scope{
		func() revocation.Scope { return revocation.Scope{Kind: revocation.KindSession} },
		func() revocation.Scope { return revocation.UserScope(name.Draw(t, "user")) },
		func() revocation.Scope { return revocation.ClientScope(name.Draw(t, "client")) },
		revocation.EverythingScope,
	}).Draw(t, "scope")()
	return revocation.Entry{
		Scope: scope, SID: drawID(t),
		Until: time.Unix(rapid.Int64Range(1, 1<<36).Draw(t, "until"), 0).UTC(),
	}
}

func TestMessagesComeBackAsTheyWent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := time.Unix(rapid.Int64Range(1, 1<<36).Draw(t, "iat"), 0).UTC()
		e := revocation.Event{Issuer: issuer, IssuedAt: when, Entry: drawEntry(t)}
		e.Entry.Seq = rapid.Uint64Range(1, 1<<53-1).Draw(t, "seq")
		e.Entry.At = time.UnixMilli(rapid.Int64Range(1000, 1<<46).Draw(t, "at")).UTC()
		e.Entry.Reason = rapid.SampledFrom([]string{"", "sign_out", "refresh_reuse"}).Draw(t, "reason")
		if rapid.Bool().Draw(t, "has prev") {
			e.Prev = drawID(t)
		}
		payload, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := revocation.DecodeEvent(payload)
		if diff := cmp.Diff(e, back); err != nil || diff != "" {
			t.Fatal(err, diff)
		}

		a := revocation.Alive{Issuer: issuer, IssuedAt: when, Seq: e.Entry.Seq - 1, Last: e.Prev}
		if payload, err = a.Encode(); err != nil {
			t.Fatal(err)
		}
		if back, err := revocation.DecodeAlive(payload); err != nil || back != a {
			t.Fatal(err, back)
		}

		s := revocation.Snapshot{Issuer: issuer, IssuedAt: when, Next: e.Entry.Seq - 1, Last: e.Prev, Entries: []revocation.Entry{}}
		var sessions, marks []revocation.Entry
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			if entry := drawEntry(t); entry.Scope.Kind == revocation.KindSession {
				sessions = append(sessions, entry)
			} else {
				marks = append(marks, entry)
			}
		}
		s.Entries = append(append(s.Entries, sessions...), marks...)
		if payload, err = s.Encode(); err != nil {
			t.Fatal(err)
		}
		snapshot, err := revocation.DecodeSnapshot(payload)
		if diff := cmp.Diff(s, snapshot); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

// Until is rounded up to a whole second.
func TestUntilIsRoundedUp(t *testing.T) {
	e := event(t, revocation.Scope{Kind: revocation.KindSession})
	e.Entry.Until = time.UnixMilli(1_700_000_000_001)
	payload, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := revocation.DecodeEvent(payload)
	if err != nil || back.Entry.Until.Unix() != 1_700_000_001 {
		t.Errorf("until is %v, %v", back.Entry.Until, err)
	}
}

func TestEventFitsIntoAToken(t *testing.T) {
	e := event(t, revocation.UserScope(strings.Repeat("<", 255)))
	payload, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(payload) > 5<<10 { // base64 and the largest signature come to less than 8 KiB
		t.Errorf("%d bytes", len(payload))
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	session, err := event(t, revocation.Scope{Kind: revocation.KindSession}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	mark, err := event(t, revocation.UserScope("u1")).Encode()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(in []byte, from, to string) string {
		out := strings.Replace(string(in), from, to, 1)
		if out == string(in) {
			t.Fatalf("%s is not in %s", from, in)
		}
		return out
	}
	for name, c := range map[string]struct {
		payload string
		want    error
	}{
		"unknown type":       {replace(session, revocation.SessionRevoked, "https://example.com/other"), revocation.ErrEventType},
		"no events":          {replace(session, `"events"`, `"event"`), revocation.ErrEventType},
		"sub":                {replace(session, `"iat"`, `"sub":"u1","iat"`), revocation.ErrMalformed},
		"exp":                {replace(session, `"iat"`, `"exp":1700000000,"iat"`), revocation.ErrMalformed},
		"no iss":             {replace(session, `"iss"`, `"is"`), revocation.ErrMalformed},
		"no jti":             {replace(session, `"jti"`, `"jt"`), revocation.ErrMalformed},
		"iat a string":       {replace(session, `"iat":1700000000`, `"iat":"1700000000"`), revocation.ErrMalformed},
		"iat a fraction":     {replace(session, `"iat":1700000000`, `"iat":1700000000.5`), revocation.ErrMalformed},
		"iat negative":       {replace(session, `"iat":1700000000`, `"iat":-1`), revocation.ErrMalformed},
		"seq zero":           {replace(session, `"seq":42`, `"seq":0`), revocation.ErrMalformed},
		"seq negative":       {replace(session, `"seq":42`, `"seq":-42`), revocation.ErrMalformed},
		"seq over 2^53":      {replace(session, `"seq":42`, `"seq":9007199254740992`), revocation.ErrMalformed},
		"seq over 2^64":      {replace(session, `"seq":42`, `"seq":18446744073709551617`), revocation.ErrMalformed},
		"duplicate seq":      {replace(session, `"seq":42`, `"seq":42,"seq":43`), revocation.ErrMalformed},
		"twin of seq":        {replace(session, `"seq":42`, `"seq":42,"SEQ":43`), revocation.ErrMalformed},
		"no until":           {replace(session, `"until"`, `"til"`), revocation.ErrMalformed},
		"times differ":       {replace(session, `"at_ms":1700000000123`, `"at_ms":1700000001123`), revocation.ErrMalformed},
		"up_to of a session": {replace(session, `"seq":42`, `"up_to":"018bcfe5-6800-7000-8000-0123456789ab","seq":42`), revocation.ErrMalformed},
		"session not a sid":  {replace(session, `"id":"018bcfe5`, `"id":"018BCFE5`), revocation.ErrMalformed},
		"mark without up_to": {replace(mark, `"up_to"`, `"upto"`), revocation.ErrMalformed},
		"another's user":     {replace(mark, `"iss_sub","iss":"`+issuer, `"iss_sub","iss":"https://other.example`), revocation.ErrMalformed},
		"user without name":  {replace(mark, `"sub":"u1"`, `"sub":""`), revocation.ErrMalformed},
		"two subjects":       {replace(mark, `"user"`, `"tenant":{"format":"opaque","id":"`+issuer+`"},"user"`), revocation.ErrMalformed},
		"unknown format":     {replace(session, `"format":"opaque"`, `"format":"email"`), revocation.ErrMalformed},
		"not an object":      {`[]`, revocation.ErrMalformed},
		"null":               {`null`, revocation.ErrMalformed},
		"empty":              {``, revocation.ErrMalformed},
		"trailing":           {string(session) + `{}`, revocation.ErrMalformed},
		"deep":               {strings.Repeat("[", 9) + strings.Repeat("]", 9), revocation.ErrMalformed},
	} {
		got, err := revocation.DecodeEvent([]byte(c.payload))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, entry %+v", name, err, got.Entry)
		}
	}
}

// sub_id identifies one session, user, client or issuer in the form of docs/feed.md, and
// nothing else.
func TestDecodeEventRefusesSubjects(t *testing.T) {
	const (
		session = `{"format":"opaque","id":"018bcfe5-6800-7000-8000-0123456789ab"}`
		user    = `"user":{"format":"iss_sub","iss":"` + issuer + `","sub":"u1"}`
		client  = `"application":{"format":"opaque","id":"app"}`
		tenant  = `"tenant":{"format":"opaque","id":"` + issuer + `"}`
	)
	mark, err := event(t, revocation.UserScope("u1")).Encode()
	if err != nil {
		t.Fatal(err)
	}
	decode := func(subject string) error {
		text := strings.Replace(string(mark), `{"format":"complex",`+user+`}`, subject, 1)
		_, err := revocation.DecodeEvent([]byte(text))
		return err
	}
	for _, good := range []string{user, client, tenant} {
		if err := decode(`{"format":"complex",` + good + `}`); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		session, // has no up_to
		`{"format":"complex"}`, `{"format":"opaque"}`, `{}`, `null`, `[]`,
		`{"format":"other",` + user + `}`, `{` + user + `}`,
		`{"format":"complex",` + user + `,` + client + `}`, `{"format":"complex",` + user + `,` + tenant + `}`,
		`{"format":"complex",` + client + `,` + tenant + `}`, `{"format":"complex",` + user + `,` + client + `,` + tenant + `}`,
		`{"format":"complex","user":{"format":"opaque","iss":"` + issuer + `","sub":"u1"}}`,
		`{"format":"complex","user":{"format":"iss_sub","iss":"https://other.example","sub":"u1"}}`,
		`{"format":"complex","application":{"format":"iss_sub","id":"app"}}`,
		`{"format":"complex","application":{"format":"opaque"}}`,
		`{"format":"complex","tenant":{"format":"iss_sub","id":"` + issuer + `"}}`,
		`{"format":"complex","tenant":{"format":"opaque","id":"https://other.example"}}`,
	} {
		if err := decode(bad); !errors.Is(err, revocation.ErrMalformed) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestDecodeAliveRefuses(t *testing.T) {
	const good = `{"iss":"i","iat":1700000000,"seq":9007199254740991,"last":"018bcfe5-6800-7000-8000-0123456789ab"}`
	if _, err := revocation.DecodeAlive([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"iss":"i"`, `"iss":""`},
		{`"iss":"i",`, ``},
		{`"iat":1700000000`, `"iat":0`},
		{`"iat":1700000000`, `"iat":253402300800`},
		{`"seq":9007199254740991`, `"seq":9007199254740992`},
		{`"seq":9007199254740991`, `"seq":-1`},
		{`"seq":9007199254740991,`, ``},
		{`"last":"018bcfe5`, `"last":"018bcfeX`},
		{`"iss":"i"`, `"iss":"i","ISS":"i"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := revocation.DecodeAlive([]byte(bad)); !errors.Is(err, revocation.ErrMalformed) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// An event without a reason has no reason_admin either.
func TestEventWithoutReason(t *testing.T) {
	e := event(t, revocation.Scope{Kind: revocation.KindSession})
	e.Entry.Reason = ""
	payload, err := e.Encode()
	if err != nil || strings.Contains(string(payload), "reason") {
		t.Errorf("%s, %v", payload, err)
	}
}

func TestJTIIsBounded(t *testing.T) {
	payload, err := event(t, revocation.Scope{Kind: revocation.KindSession}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]error{1: nil, 255: nil, 256: revocation.ErrMalformed} {
		text := strings.Replace(string(payload), "42.018bcfe5-6800-7000-8000-0123456789ab", strings.Repeat("x", n), 1)
		if _, err := revocation.DecodeEvent([]byte(text)); !errors.Is(err, want) {
			t.Errorf("a jti of %d bytes: %v", n, err)
		}
	}
}

func TestMarkCovers(t *testing.T) {
	ids := sid.NewGenerator(func() time.Time { return at })
	before, upTo, after := ids.Next(), ids.Next(), ids.Next()
	mark := revocation.Mark{Scope: revocation.UserScope("u1"), SID: upTo}
	if !mark.Covers(before) || !mark.Covers(upTo) || mark.Covers(after) {
		t.Error("a mark covers the identifiers up to its own, and no others")
	}
}

func TestDecodeSnapshotRefuses(t *testing.T) {
	const good = `{"iss":"i","iat":1700000000,"next":7,"sessions":[{"sid":"018bcfe5-6800-7000-8000-0123456789ab","until":1700000361}],` +
		`"marks":[{"kind":"user","name":"u1","up_to":"018bcfe5-6800-7000-8000-0123456789ab","until":1700000361}]}`
	if _, err := revocation.DecodeSnapshot([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"iss":"i"`, `"iss":""`},
		{`"iat":1700000000`, `"iat":0`},
		{`"next":7`, `"nxt":7`},
		{`"next":7`, `"next":-7`},
		{`"next":7`, `"next":null`},
		{`"next":7`, `"next":9007199254740992`},
		{`"kind":"user"`, `"kind":"tenant"`},
		{`"sessions"`, `"session"`},
		{`"marks":[`, `"marks":null,"other":[`},
		{`"sid":"018bcfe5`, `"sid":"018bcfeX`},
		{`"sid":"018bcfe5-6800-7000-8000-0123456789ab",`, ``},
		{`"until":1700000361`, `"until":0`},
		{`"until":1700000361`, `"until":99999999999999`},
		{`"kind":"user"`, `"kind":"session"`},
		{`"kind":"user"`, `"kind":"everything"`},
		{`"name":"u1"`, `"name":"` + strings.Repeat("x", 256) + `"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := revocation.DecodeSnapshot([]byte(bad)); !errors.Is(err, revocation.ErrMalformed) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestEncodeRefusesWhatAReaderWould(t *testing.T) {
	for name, change := range map[string]func(*revocation.Event){
		"no issuer": func(e *revocation.Event) { e.Issuer = "" },
		"no seq":    func(e *revocation.Event) { e.Entry.Seq = 0 },
		"no at":     func(e *revocation.Event) { e.Entry.At = time.Time{} },
		"no sid":    func(e *revocation.Event) { e.Entry.SID = sid.ID{} },
		"no until":  func(e *revocation.Event) { e.Entry.Until = time.Time{} },
		"no kind":   func(e *revocation.Event) { e.Entry.Scope.Kind = 0 },
		"no name":   func(e *revocation.Event) { e.Entry.Scope = revocation.UserScope("") },
		"a name":    func(e *revocation.Event) { e.Entry.Scope.Name = "x" },
	} {
		e := event(t, revocation.Scope{Kind: revocation.KindSession})
		change(&e)
		if _, err := e.Encode(); !errors.Is(err, revocation.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (revocation.Alive{}).Encode(); !errors.Is(err, revocation.ErrMalformed) {
		t.Error(err)
	}
	if _, err := (revocation.Snapshot{}).Encode(); !errors.Is(err, revocation.ErrMalformed) {
		t.Error(err)
	}
}

// A decoded message can be encoded, and decodes to the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"iss":"i","iat":1700000000,"seq":7}`))
	f.Add([]byte(`{"iss":"i","iat":1700000000,"next":7,"sessions":[],"marks":[]}`))
	f.Add([]byte(`{"iss":"i","iat":1,"jti":"1","sub_id":{"format":"opaque","id":"018bcfe5-6800-7000-8000-0123456789ab"},"events":{"` +
		revocation.SessionRevoked + `":{"event_timestamp":1,"at_ms":1000,"seq":1,"until":9}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if e, err := revocation.DecodeEvent(payload); err == nil {
			again, err := e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if back, err := revocation.DecodeEvent(again); err != nil || back != e {
				t.Fatalf("%+v %+v %v", e, back, err)
			}
		}
		if a, err := revocation.DecodeAlive(payload); err == nil {
			if _, err := a.Encode(); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := revocation.DecodeSnapshot(payload); err == nil {
			if _, err := s.Encode(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"issuer.example/fact"
	"issuer.example/keys"
	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// RunModel does the same to the store and to the [reference], whatever is asked of them in
// whatever order, across ends of the process, and compares them after each step. [Run] runs it
// too.
func RunModel(t *testing.T, harness Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t, harness, 2)
		defer f.instance.Close(t)
		p := &play{f: f, ref: newReference(), clock: start()}
		p.ref.draw = func(sid.ID, time.Time) sid.ID { return p.given }
		p.ref.choose = func(f fact.Fact, least, most time.Time) time.Time { return p.chosen(rt, f, least, most) }
		rt.Repeat(map[string]func(*rapid.T){
			"":       p.compare,
			"create": p.create,
			"change": p.change,
			"mark":   p.mark,
			"sweep":  p.sweep,
			"record": p.record,
			"keys":   p.swapKeys,
			"restart": func(rt *rapid.T) {
				if rapid.Bool().Draw(rt, "crash") {
					f.crash()
				} else {
					f.reopen()
				}
			},
		})
	})
}

// play is a store and the reference, of which the same is asked.
type play struct {
	f     *fixture
	ref   *reference
	clock time.Time // of the first issuer; it only goes forward
	given sid.ID    // the identifier that the store has given
	last  uint64    // the newest fact of the store
	facts uint64    // the newest fact of the reference
}

// chosen is the latest date of a token that the store has gone by for a revocation of the last step.
func (p *play) chosen(t *rapid.T, f fact.Fact, least, most time.Time) time.Time {
	for _, fa := range p.f.facts(t, p.last) {
		if fa.Revocation == 0 || fa.Kind != f.Kind || fa.SID != f.SID {
			continue
		}
		latest := fa.Until.Add(-tokenLife)
		if latest.Before(least) || latest.After(most) {
			t.Fatalf("verifiers need %+v as if the latest token was of %v, not between %v and %v", fa, latest, least, most)
		}
		return latest
	}
	t.Fatalf("verifiers do not get to know of %+v", f)
	return most
}

// text generates text that can be stored, of so many characters at most.
func text(most int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 0, most, 4*most)
}

// users are names of which one begins with another.
func users() []string { return []string{"a", "ab", "b"} }

// issuer draws one of the two issuers, and its time.
func (p *play) issuer(t *rapid.T) (at session.Store, now time.Time) {
	p.clock = p.clock.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "seconds")) * time.Second)
	if rapid.Bool().Draw(t, "second issuer") {
		return p.f.issuers[1], p.clock.Add(-2 * time.Second)
	}
	return p.f.issuers[0], p.clock
}

func (p *play) create(t *rapid.T) {
	at, now := p.issuer(t)
	s := begun(rapid.SampledFrom(users()).Draw(t, "user"), now)
	s.Session.ClientID = rapid.SampledFrom(users()).Draw(t, "client")
	s.Session.IdleTimeout = time.Duration(rapid.IntRange(1, 300).Draw(t, "idle timeout")) * time.Minute
	s.Session.ExpiresAt = now.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "life")) * time.Minute)
	s.Session.Label = text(50).Draw(t, "label")
	c := limited(s, rapid.IntRange(0, 3).Draw(t, "limit"), rapid.SampledFrom([]session.LimitPolicy{
		session.LimitEvictOldest, session.LimitEvictIdle, session.LimitRefuse,
	}).Draw(t, "policy"))
	c.Session.Unclaimed = rapid.IntRange(0, 3).Draw(t, "unclaimed") == 0
	if old, ok := p.pick(t, "replaced"); ok && rapid.Bool().Draw(t, "replaces") {
		c.Replaces = idOf(old)
	}
	got, err := at.Create(t.Context(), c)
	p.given = idOf(got.Session)
	p.checkGiven(t, s, err)
	want, wantErr := p.ref.Create(t.Context(), c)
	if !errors.Is(err, wantErr) {
		t.Fatalf("create: %v, not %v", err, wantErr)
	}
	byID := func(a, b session.Snapshot) int { return idOf(a).Compare(idOf(b)) }
	slices.SortFunc(got.Evicted, byID)
	slices.SortFunc(want.Evicted, byID)
	equal(t, "created", got, want)
}

// checkGiven fails unless the identifier of a new session is greater than those of its user's
// sessions and than the marks of its scopes.
func (p *play) checkGiven(t *rapid.T, s session.Snapshot, err error) {
	if err != nil {
		return
	}
	for _, id := range p.ref.order() {
		if p.ref.sessions[id].Session.User.ID == s.Session.User.ID && id.Compare(p.given) >= 0 {
			t.Fatalf("%s is not greater than %s, the session before", p.given, id)
		}
	}
	for _, scope := range revocation.ScopesOf(s.Session.User.ID, s.Session.ClientID) {
		if mark, ok := p.ref.marks[scope]; ok && mark.Covers(p.given) {
			t.Fatalf("%s is under the mark of %v", p.given, scope)
		}
	}
}

// pick draws a session; ok is false if there is none.
func (p *play) pick(t *rapid.T, what string) (s session.Snapshot, ok bool) {
	ids := p.ref.order()
	if len(ids) == 0 {
		return s, false
	}
	id := ids[rapid.IntRange(0, len(ids)-1).Draw(t, what)]
	return p.ref.marked(p.ref.sessions[id]), true
}

var errRefused = errors.New("refused")

func (p *play) change(t *rapid.T) {
	s, ok := p.pick(t, "session")
	if !ok {
		return
	}
	at, now := p.issuer(t)
	c, refused := p.draw(t, s, now), rapid.IntRange(0, 5).Draw(t, "refuse") == 0
	var seen session.Snapshot // by the decision that counts, which is the last
	decide := func(got, _ session.Snapshot) (session.Change, error) {
		if seen = got; refused {
			return c, errRefused
		}
		return c, nil
	}
	got, err := at.Change(t.Context(), target(idOf(s)), decide)
	equal(t, "what there was to decide on", seen, s)
	want, wantErr := p.ref.Change(t.Context(), target(idOf(s)), decide)
	if !errors.Is(err, wantErr) {
		t.Fatalf("change: %v, not %v", err, wantErr)
	}
	equal(t, "changed", got, want)
}

// draw draws a change of a session.
func (p *play) draw(t *rapid.T, s session.Snapshot, now time.Time) (c session.Change) {
	if rapid.Bool().Draw(t, "state") {
		st := s.State
		st.Generation++
		st.RedeemedAt = now
		if now.After(st.LastSeenAt) {
			st.SeenBefore, st.LastSeenAt = st.LastSeenAt, now
		}
		st.RedeemedFrom, st.LastFrom = drawDevice(t, "redeemed from"), drawDevice(t, "last from")
		st.Apart = refresh.Generations(rapid.IntRange(0, int(refresh.MaxGenerations)).Draw(t, "apart"))
		st.WasDue = rapid.Bool().Draw(t, "was due")
		if rapid.IntRange(0, 3).Draw(t, "reuse") == 0 {
			st.Reuse = session.Reuse{Generation: st.Generation, From: drawDevice(t, "reused from")}
		}
		c.State = &st
	}
	if s.End.IsZero() && rapid.IntRange(0, 3).Draw(t, "record") == 0 {
		record := s.Session
		record.Label = text(200).Draw(t, "label")
		record.UserAgent = drawDevice(t, "browser").UserAgent
		c.Session = &record
		c.Facts = []fact.Fact{{Kind: fact.Changed, At: now, SID: idOf(s), What: "label", By: "backend"}}
	}
	if s.Session.Unclaimed && rapid.Bool().Draw(t, "claim") {
		a := limited(begun(s.Session.User.ID, now), rapid.IntRange(0, 3).Draw(t, "limit"), session.LimitEvictIdle).Admission
		if old, ok := p.pick(t, "replaced"); ok {
			a.Replaces = idOf(old)
		}
		record := s.Session
		record.Unclaimed = false
		c.Session, c.Admission = &record, &a
	}
	if rapid.IntRange(0, 3).Draw(t, "end") == 0 {
		c.End = ending(now, rapid.SampledFrom([]session.Reason{
			session.ReasonSignOut, session.ReasonRefreshReuse, "another",
		}).Draw(t, "reason")).End
		if rapid.Bool().Draw(t, "verifiers need not know") {
			c.End.Notice = session.Notice{}
		}
	}
	return c
}

// drawDevice draws one of a few devices, so that the same ones come again.
func drawDevice(t *rapid.T, label string) session.Device {
	return session.Device{
		IP: rapid.SampledFrom([]netip.Addr{
			{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"),
		}).Draw(t, label+": address"),
		UserAgent: rapid.SampledFrom([]string{"", "Browser/1.0", "Browser/2.0"}).Draw(t, label+": browser"),
	}
}

func (p *play) mark(t *rapid.T) {
	at, now := p.issuer(t)
	m := markRequest(rapid.SampledFrom([]revocation.Scope{
		revocation.UserScope("a"), revocation.UserScope("ab"), revocation.ClientScope("a"), revocation.EverythingScope(),
	}).Draw(t, "scope"), now)
	if s, ok := p.pick(t, "holder"); ok && s.Session.User.ID == m.Scope.Name && m.Scope.Kind == revocation.KindUser {
		m.Holder, m.SpareHolder = idOf(s), rapid.Bool().Draw(t, "spare")
		m.Allow = func(holder session.Snapshot) error {
			if !judge(now)(holder).End.IsZero() {
				return errRefused
			}
			return nil
		}
	}
	got, err := at.Mark(t.Context(), m)
	p.given = got.Mark.SID
	for _, id := range p.ref.order() {
		if s := p.ref.sessions[id]; err == nil && !m.SpareHolder && inScope(m.Scope, s) && !got.Mark.Covers(id) {
			t.Fatalf("the mark of %v does not cover %s", m.Scope, id)
		}
	}
	want, wantErr := p.ref.Mark(t.Context(), m)
	if !errors.Is(err, wantErr) {
		t.Fatalf("mark: %v, not %v", err, wantErr)
	}
	equal(t, "marked", got, want)
}

func inScope(scope revocation.Scope, s session.Snapshot) bool {
	scopes := revocation.ScopesOf(s.Session.User.ID, s.Session.ClientID)
	return slices.Contains(scopes[:], scope)
}

func (p *play) sweep(t *rapid.T) {
	p.clock = p.clock.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
	got := p.f.sweepAll(t, p.clock)
	want := (&fixture{Backend: p.ref}).sweepAll(t, p.clock)
	equal(t, "swept", got, want)
}

func (p *play) record(t *rapid.T) {
	f := fact.Fact{Kind: fact.Administered, At: p.clock, What: text(20).Draw(t, "what"), By: "operator"}
	if err := errors.Join(p.f.Record(t.Context(), f), p.ref.Record(t.Context(), f)); err != nil {
		t.Fatalf("record: %v", err)
	}
}

func (p *play) swapKeys(t *rapid.T) {
	now, err := p.ref.LoadKeys(t.Context())
	if err != nil {
		t.Fatalf("load keys: %v", err)
	}
	from := uint64(rapid.IntRange(0, int(now.Version)+1).Draw(t, "from"))
	document := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "document")
	var changes []keys.Change
	if rapid.Bool().Draw(t, "with a change") {
		changes = []keys.Change{{KeyID: "k1", From: keys.Active, To: keys.Retiring, At: p.clock}}
	}
	err = p.f.SwapKeys(t.Context(), from, document, changes)
	if wantErr := p.ref.SwapKeys(t.Context(), from, document, changes); !errors.Is(err, wantErr) {
		t.Fatalf("swap from version %d of %d: %v, not %v", from, now.Version, err, wantErr)
	}
	if errors.Is(err, keys.ErrConflict) != (from != now.Version) {
		t.Fatalf("swap from version %d of %d: %v", from, now.Version, err)
	}
}

// compare compares all that can be read.
func (p *play) compare(t *rapid.T) {
	p.compareFacts(t)
	got, want := p.f.contents(t), (&fixture{Backend: p.ref}).contents(t)
	for _, c := range []*contents{&got, &want} {
		c.Facts, c.First = nil, 0 // compared step by step
		for i := range c.Revocations {
			// They may be in another order within a step, and are compared with its facts.
			c.Revocations[i] = revocation.Entry{Seq: c.Revocations[i].Seq}
		}
	}
	equal(t, "contents", got, want)
	for _, u := range users() {
		q := session.Query{UserID: u, ClientID: rapid.SampledFrom(append(users(), "")).Draw(t, "of client")}
		equal(t, fmt.Sprintf("list of %+v", q), p.f.list(t, q, 3), (&fixture{Backend: p.ref}).list(t, q, plenty))
	}
}

// compareFacts compares the facts that were added by the last step, in any order.
func (p *play) compareFacts(t *rapid.T) {
	got, want := p.f.facts(t, p.last), (&fixture{Backend: p.ref}).facts(t, p.facts)
	for i := range got {
		if got[i].Number != p.last+1 {
			t.Fatalf("fact %d follows %d", got[i].Number, p.last)
		}
		p.last = got[i].Number
	}
	if n := len(want); n > 0 {
		p.facts = want[n-1].Number
	}
	for _, facts := range [][]fact.Fact{got, want} {
		for i := range facts {
			facts[i].Number = 0
			facts[i].Revocation = min(facts[i].Revocation, known)
		}
		sortFacts(facts)
	}
	equal(t, "facts", got, want)
}

package storetest

import (
	"context"
	"testing"

	"issuer.example/revocation"
	"issuer.example/session"
)

// A watcher hears of every addition to the log, together with others or alone, and what
// it hears of is there to be read. One that does not listen holds up nobody.
func testWatch(t *testing.T, open Open) {
	f := newFixture(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	idle, heard := f.Watch(t.Context()), f.Watch(ctx)
	const most = 50
	written := make(chan error, 1)
	go func() {
		var err error
		for n := 0; n < most && err == nil; n++ {
			err = f.Update(t.Context(), func(tx session.Tx) error { return tx.Revoke(listed(id(uint32(n+1)), n)) })
		}
		written <- err
	}()
	for seen := uint64(0); seen < most; {
		<-heard
		entries, _, err := f.Entries(t.Context(), seen, most)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if seen++; e.Seq != seen {
				t.Fatalf("entry %d where %d was to come", e.Seq, seen)
			}
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	<-idle
	if len(idle) > 0 {
		t.Error("what nobody has looked for comes as more than one value")
	}
	cancel()
	f.revoke(t, revocation.Entry{Scope: revocation.EverythingScope(), SID: id(99), At: after(1), Until: after(2)})
	<-idle // the one whose context goes on
}

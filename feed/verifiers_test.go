package feed_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"issuer.example/feed"
)

func TestVerifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		now := time.Now()
		f.hub.Report("fleet", "b", 7, 18*time.Millisecond)
		f.hub.Report("fleet", "b", 7, 18*time.Millisecond) // nothing new
		f.hub.Report("fleet", "a", 9, 0)                   // after a snapshot
		f.hub.Report("edge", "b", 8, time.Second)
		r, err := f.hub.Subscribe(t.Context(), feed.Subscription{Key: "fleet", Verifier: "b"})
		must(t, err)
		want := []feed.Verifier{
			{Key: "edge", Name: "b", Seq: 8, Delay: time.Second, ReportedAt: now},
			{Key: "fleet", Name: "a", Seq: 9, ReportedAt: now},
			{Key: "fleet", Name: "b", Seq: 7, Delay: 18 * time.Millisecond, ReportedAt: now, Streams: 1},
		}
		if diff := cmp.Diff(want, f.verifiers(t)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]time.Duration{18 * time.Millisecond, time.Second}, f.seen.applied); diff != "" {
			t.Errorf("delays: %s", diff)
		}
		time.Sleep(61 * time.Minute) // of the bubble's clock
		if diff := cmp.Diff(want[2:], f.verifiers(t)); diff != "" {
			t.Errorf("who is silent for an hour and not connected: %s", diff)
		}
		r.Close(feed.EndClient)
		time.Sleep(61 * time.Minute)
		if left := f.verifiers(t); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// A service key that reports under ever new names does not fill the memory.
func TestVerifiersAreBounded(t *testing.T) {
	f := newFixture(t, nil)
	for i := range 4200 {
		f.hub.Report("fleet", fmt.Sprint("v", i), 1, 0)
	}
	all := f.verifiers(t)
	if len(all) > 4096 {
		t.Errorf("%d are remembered", len(all))
	}
	found := false
	for _, v := range all {
		found = found || v.Name == "v4199"
	}
	if !found {
		t.Error("the newest is forgotten")
	}
}

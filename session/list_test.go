package session_test

import (
	"slices"
	"sync"
	"testing"

	"issuer.example/session"
)

// A user who has signed in very often gets a list of the newest sessions and their own, and can
// still end them all.
func TestListsAreBounded(t *testing.T) {
	f := newFixture(t, nil)
	first := f.mint(t, "u1")
	const more = session.MaxListed + 1
	grants := make([]session.Grant, more)
	var signIns sync.WaitGroup
	for i := range grants {
		signIns.Go(func() {
			var err error
			if grants[i], err = f.svc.Mint(t.Context(), session.MintRequest{User: session.User{ID: "u1"}, ClientID: "app"}); err != nil {
				t.Errorf("mint: %v", err)
			}
		})
	}
	signIns.Wait()
	if t.Failed() {
		return
	}
	slices.SortFunc(grants, func(a, b session.Grant) int { return b.View.ID.Compare(a.View.ID) })
	list, err := f.svc.List(t.Context(), "u1")
	if err != nil || len(list) != session.MaxListed || list[0].ID != grants[0].View.ID {
		t.Fatalf("%d sessions are listed, from %s: %v", len(list), list[0].ID, err)
	}
	own, err := f.svc.ListOwn(t.Context(), f.holder(t, first))
	if err != nil || len(own) != session.MaxListed || own[len(own)-1].ID != first.View.ID {
		t.Errorf("%d sessions are listed for the oldest, which is not the last of them: %v", len(own), err)
	}
	newest := f.holder(t, grants[0])
	if own, err = f.svc.ListOwn(t.Context(), newest); err != nil || own[len(own)-1].ID != list[len(list)-1].ID {
		t.Errorf("the newest has another list: %v", err)
	}
	if n, err := f.svc.RevokeOthers(t.Context(), newest); err != nil || n != more {
		t.Errorf("%d others have ended, of %d: %v", n, more, err)
	}
	if list, err := f.svc.List(t.Context(), "u1"); err != nil || len(list) != 1 || list[0].ID != newest.View.ID {
		t.Errorf("%d sessions are left: %v", len(list), err)
	}
}

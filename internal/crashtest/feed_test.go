//go:build linux

package crashtest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// revocations is what verifiers are told.
type revocations struct {
	next     uint64 // the newest revocation
	sessions map[sid.ID]bool
	marks    map[string]sid.ID // by user
}

// revocations reads what a verifier begins with. Its signature is not checked here.
func (a *api) revocations() (*revocations, error) {
	req, err := http.NewRequest(http.MethodGet, a.public+"/v1/revocations", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	res, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(string(text), ".")
	if res.StatusCode != http.StatusOK || len(parts) != 3 {
		return nil, fmt.Errorf("%s: %.100q", res.Status, text)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	snapshot, err := revocation.DecodeSnapshot(payload)
	if err != nil {
		return nil, err
	}
	r := &revocations{next: snapshot.Next, sessions: map[sid.ID]bool{}, marks: map[string]sid.ID{}}
	for _, e := range snapshot.Entries {
		switch e.Scope.Kind {
		case revocation.KindSession:
			r.sessions[e.SID] = true
		case revocation.KindUser:
			if e.SID.Compare(r.marks[e.Scope.Name]) > 0 {
				r.marks[e.Scope.Name] = e.SID
			}
		case revocation.KindClient, revocation.KindEverything:
			return nil, errors.New("nobody has revoked as much")
		}
	}
	return r, nil
}

// covers reports whether verifiers refuse a session of that user.
func (r *revocations) covers(user, id string) bool {
	parsed, err := sid.Parse(id)
	return err == nil && (r.sessions[parsed] || parsed.Compare(r.marks[user]) <= 0)
}

// staleness is how long an issuer may answer with the same list of revocations, on a busy machine.
const staleness = 5 * time.Second

// verifyFeed checks that verifiers are told of every end that was acknowledged or seen, and
// that the revocations are not numbered anew. Issuers that have run for longer may need a
// while to tell of the newest.
func (f *fleet) verifyFeed() {
	f.t.Helper()
	newest := f.next
	for _, issuer := range *f.apis.Load() {
		next, err := f.readFeed(issuer)
		for begin := time.Now(); err != nil && f.retries && time.Since(begin) < staleness; {
			next, err = f.readFeed(issuer)
		}
		if err != nil {
			f.fail("the revocations of %s: %v", issuer.public, err)
		}
		newest = max(newest, next)
	}
	f.next = newest
}

// readFeed reads the revocations once, and returns the number of the newest.
func (f *fleet) readFeed(issuer *api) (next uint64, err error) {
	r, err := issuer.revocations()
	if err != nil {
		return 0, err
	}
	if r.next < f.next {
		return 0, fmt.Errorf("the newest was number %d, and is %d", f.next, r.next)
	}
	for _, a := range f.actors {
		for _, u := range a.users {
			for _, h := range u.ended {
				if !r.covers(u.id, h.id) {
					return 0, fmt.Errorf("verifiers are not told of the end of %v", h)
				}
			}
		}
	}
	return r.next, nil
}

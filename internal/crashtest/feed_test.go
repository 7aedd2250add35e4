//go:build linux

package crashtest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

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

// verifyFeed checks that verifiers are told of every end that was acknowledged or seen, and
// that the revocations are not numbered anew.
func (f *fleet) verifyFeed() {
	f.t.Helper()
	r, err := f.api.revocations()
	if err != nil {
		f.fail("the revocations cannot be read: %v", err)
		return
	}
	if r.next < f.next {
		f.fail("the newest revocation was number %d, and is %d", f.next, r.next)
	}
	f.next = r.next
	for _, a := range f.actors {
		for _, u := range a.users {
			for _, h := range u.ended {
				if !r.covers(u.id, h.id) {
					f.fail("verifiers are not told of the end of %v", h)
				}
			}
		}
	}
}

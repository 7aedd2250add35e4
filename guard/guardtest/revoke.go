package guardtest

import (
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// logged is an entry of the log with the identifier in the one before.
type logged struct {
	entry revocation.Entry
	prev  sid.ID
}

// Revoke revokes the session of a token.
func (i *Issuer) Revoke(tb testing.TB, token string) {
	tb.Helper()
	claims, err := i.claims(token)
	if err != nil {
		tb.Fatal(err)
	}
	id, err := sid.Parse(claims.SessionID)
	if err != nil {
		tb.Fatal(err)
	}
	i.RevokeSession(id)
}

// RevokeSession revokes one session.
func (i *Issuer) RevokeSession(id sid.ID) {
	i.append(revocation.Scope{Kind: revocation.KindSession}, id)
}

// RevokeUser revokes all sessions that a user has now.
func (i *Issuer) RevokeUser(user string) { i.append(revocation.UserScope(user), i.ids.Next()) }

// RevokeClient revokes all sessions that a client has now.
func (i *Issuer) RevokeClient(client string) { i.append(revocation.ClientScope(client), i.ids.Next()) }

// RevokeEverything revokes all sessions that there are now.
func (i *Issuer) RevokeEverything() { i.append(revocation.EverythingScope(), i.ids.Next()) }

func (i *Issuer) append(scope revocation.Scope, id sid.ID) {
	now := i.config.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, last := i.head()
	i.log = append(i.log, logged{revocation.Entry{
		Seq: seq + 1, Scope: scope, SID: id, At: now, Until: now.Add(i.config.Lifetime + jwt.MaxLeeway), Reason: "admin",
	}, last})
	i.wake()
}

// head is the newest entry's number and identifier. The caller holds the lock.
func (i *Issuer) head() (uint64, sid.ID) {
	if len(i.log) == 0 {
		return i.first - 1, sid.ID{}
	}
	newest := i.log[len(i.log)-1].entry
	return newest.Seq, newest.SID
}

// wake tells every stream to look again. The caller holds the lock.
func (i *Issuer) wake() {
	close(i.changed)
	i.changed = make(chan struct{})
}

// Seq is the number of the newest revocation.
func (i *Issuer) Seq() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, _ := i.head()
	return seq
}

// Alive makes every stream say now that it is complete.
func (i *Issuer) Alive() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.beat++
	i.wake()
}

// Cut ends every stream.
func (i *Issuer) Cut() {
	i.mu.Lock()
	defer i.mu.Unlock()
	close(i.cut)
	i.cut = make(chan struct{})
}

// Down makes the issuer answer nothing but 503, and ends every stream; or brings it back.
func (i *Issuer) Down(down bool) {
	i.mu.Lock()
	i.down = down
	i.mu.Unlock()
	if down {
		i.Cut()
	}
}

// Purge forgets the log, and with it every revocation, as when all have ended. Whoever
// resumes before its end is told that it is gone.
func (i *Issuer) Purge() {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, _ := i.head()
	i.first, i.log = seq+1, nil
}

// Restore puts the issuer back to where it was after entry seq, as when a backup is
// restored, and ends every stream.
func (i *Issuer) Restore(seq uint64) {
	i.mu.Lock()
	i.log = i.log[:max(int(seq+1-i.first), 0)] //nolint:gosec // numbers of a test
	i.mu.Unlock()
	i.Cut()
}

// Report is what a guard says that it has applied.
type Report struct {
	Verifier string `json:"verifier"`
	Seq      uint64 `json:"seq"`
	DelayMS  int64  `json:"delay_ms"`

	// At is when it came.
	At time.Time `json:"-"`
}

// Reports are the newest reports, by verifier.
func (i *Issuer) Reports() map[string]Report {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := make(map[string]Report, len(i.reports))
	for name, report := range i.reports {
		all[name] = report
	}
	return all
}

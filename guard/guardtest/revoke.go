package guardtest

import (
	"testing"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
	"issuer.example/sid"
)

// logEntry is an entry of the log and the identifier in the entry before it, zero if that
// was purged.
type logEntry struct {
	revocation.Entry

	prev sid.ID
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

// RevokeUser revokes all sessions that the user has now.
func (i *Issuer) RevokeUser(user string) { i.append(revocation.UserScope(user), i.ids.Next()) }

// RevokeClient revokes all sessions that the client has minted until now.
func (i *Issuer) RevokeClient(client string) { i.append(revocation.ClientScope(client), i.ids.Next()) }

// RevokeEverything revokes all sessions that exist now.
func (i *Issuer) RevokeEverything() { i.append(revocation.EverythingScope(), i.ids.Next()) }

func (i *Issuer) append(scope revocation.Scope, id sid.ID) {
	now := i.config.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, last := i.head()
	i.log = append(i.log, logEntry{revocation.Entry{
		Seq: seq + 1, Scope: scope, SID: id, At: now, Until: now.Add(i.config.Lifetime + jwt.MaxLeeway), Reason: "admin",
	}, last})
	i.wake()
}

// head returns the number of the newest entry, and the identifier in it, zero if it was
// purged. The caller holds mu.
func (i *Issuer) head() (uint64, sid.ID) {
	if len(i.log) == 0 {
		return i.first - 1, sid.ID{}
	}
	newest := i.log[len(i.log)-1]
	return newest.Seq, newest.SID
}

// wake makes every stream check for something to send. The caller holds mu.
func (i *Issuer) wake() {
	close(i.changed)
	i.changed = make(chan struct{})
}

// Seq returns the number of the newest revocation, 0 if there has never been one.
func (i *Issuer) Seq() uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, _ := i.head()
	return seq
}

// Alive makes every stream send an alive message now.
func (i *Issuer) Alive() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.requested++
	i.wake()
}

// Cut ends every stream.
func (i *Issuer) Cut() {
	i.mu.Lock()
	defer i.mu.Unlock()
	close(i.cut)
	i.cut = make(chan struct{})
}

// Down with true ends every stream and makes the issuer answer 503 to every request. With
// false the issuer works again.
func (i *Issuer) Down(down bool) {
	i.mu.Lock()
	i.down = down
	i.mu.Unlock()
	if down {
		i.Cut()
	}
}

// Purge removes every entry of the log, as an issuer does when they have ended. A stream
// that is resumed before the end of the log gets the frame gone.
func (i *Issuer) Purge() {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, _ := i.head()
	i.first, i.log = seq+1, nil
}

// Restore removes the entries after seq, as the restore of a backup does, and ends every
// stream.
func (i *Issuer) Restore(seq uint64) {
	i.mu.Lock()
	i.log = i.log[:max(int(seq+1-i.first), 0)] //nolint:gosec // numbers of a test
	i.mu.Unlock()
	i.Cut()
}

// Report is a verifier's report of what it has applied.
type Report struct {
	// Verifier is the name of the verifier; see [guard.Config].
	Verifier string `json:"verifier"`
	// Seq is the number of the newest entry applied.
	Seq uint64 `json:"seq"`
	// DelayMS is the time from the revocation until it was applied, in milliseconds.
	DelayMS int64 `json:"delay_ms"`

	// At is when the issuer received the report.
	At time.Time `json:"-"`
}

// Reports returns the newest report of each verifier, by its name.
func (i *Issuer) Reports() map[string]Report {
	i.mu.Lock()
	defer i.mu.Unlock()
	all := make(map[string]Report, len(i.reports))
	for name, report := range i.reports {
		all[name] = report
	}
	return all
}

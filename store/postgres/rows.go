package postgres

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"issuer.example/revocation"
	"issuer.example/session"
	"issuer.example/session/refresh"
	"issuer.example/sid"
)

// insertColumns are the columns of sessions in the order of [insertArgs], and insertValues their parameters.
const (
	insertColumns = `sid, version, user_id, client_id, email, name, image, claims, audience, scope, amr, acr, label, ip, user_agent,
	created_at, auth_time, expires_at, idle_timeout_ms, unclaimed, replaces,
	generation, branch, key_id, apart, was_due, redeemed_at, last_seen_at, seen_before,
	redeemed_ip, redeemed_user_agent, last_ip, last_user_agent, reuse_generation, reuse_ip, reuse_user_agent,
	due_at, ended_at, end_reason`
	insertValues = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
	$22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39`
)

// columns are the columns that [scanStored] reads, of fromSessions.
const columns = `s.sid, s.version, s.user_id, s.client_id, s.email, s.name, s.image, s.claims, s.audience, s.scope, s.amr, s.acr,
	s.label, s.ip, s.user_agent, s.created_at, s.auth_time, s.expires_at, s.idle_timeout_ms, s.unclaimed, s.replaces,
	s.generation, s.branch, s.key_id, s.apart, s.was_due, s.redeemed_at, s.last_seen_at, s.seen_before,
	s.redeemed_ip, s.redeemed_user_agent, s.last_ip, s.last_user_agent, s.reuse_generation, s.reuse_ip, s.reuse_user_agent,
	s.due_at, s.ended_at, s.end_reason, m.scope, m.sid, m.marked_at, m.until, m.reason`

// joinMark joins the mark m that covers a session s and was set first; m is null if none does, or the session's end is
// on record. The outer condition is evaluated once a statement: without any mark, sessions cost no look-ups.
const joinMark = ` LEFT JOIN LATERAL (
	SELECT k.scope, k.sid, k.marked_at, k.until, k.reason FROM marks k
	WHERE k.scope IN ('e', 'u:' || s.user_id, 'c:' || s.client_id) AND k.sid >= s.sid AND s.ended_at IS NULL
		AND (SELECT true FROM marks ORDER BY scope LIMIT 1)
	ORDER BY k.marked_at, position(left(k.scope, 1) IN 'euc') LIMIT 1
) m ON true`

// fromSessions are sessions with their marks.
const fromSessions = ` FROM sessions s` + joinMark

// stored is a session as the database has it.
type stored struct {
	session.Snapshot
	version int64
	dueAt   time.Time
}

// nullable are the columns that can be null, and those whose types are not those of the domain.
type nullable struct {
	id, replaces, markSID                  pgtype.UUID
	idleMillis, generation                 int64
	branch                                 []byte
	keyID, apart                           int16
	seenBefore, endedAt, markedAt, untilAt pgtype.Timestamptz
	redeemedAgent, lastAgent, reuseAgent   pgtype.Text
	endReason, markScope, markReason       pgtype.Text
	reuseGeneration                        pgtype.Int8
	ip, redeemedIP, lastIP, reuseIP        netip.Addr
	claims                                 []byte
	createdAt, authTime, expiresAt         time.Time
	redeemedAt, lastSeenAt, dueAt          time.Time
}

// scanStored reads one row of columns.
func scanStored(row pgx.Rows) (stored, error) {
	var s stored
	var n nullable
	err := row.Scan(s.targets(&n)...)
	if err != nil {
		return stored{}, err
	}
	s.complete(&n)
	return s, nil
}

// targets are where the columns go, in their order.
func (s *stored) targets(n *nullable) []any {
	r, st := &s.Session, &s.State
	return []any{
		&n.id, &s.version, &r.User.ID, &r.ClientID, &r.User.Email, &r.User.Name, &r.User.Image, &n.claims, &r.Audience, &r.Scope,
		&r.AMR, &r.ACR, &r.Label, &n.ip, &r.UserAgent, &n.createdAt, &n.authTime, &n.expiresAt, &n.idleMillis, &r.Unclaimed, &n.replaces,
		&n.generation, &n.branch, &n.keyID, &n.apart, &st.WasDue, &n.redeemedAt, &n.lastSeenAt, &n.seenBefore,
		&n.redeemedIP, &n.redeemedAgent, &n.lastIP, &n.lastAgent, &n.reuseGeneration, &n.reuseIP, &n.reuseAgent,
		&n.dueAt, &n.endedAt, &n.endReason, &n.markScope, &n.markSID, &n.markedAt, &n.untilAt, &n.markReason,
	}
}

// complete sets what could not be read into its place.
func (s *stored) complete(n *nullable) {
	r, st := &s.Session, &s.State
	r.ID, r.Replaces = sid.ID(n.id.Bytes), sid.ID(n.replaces.Bytes)
	if n.claims != nil {
		r.Claims = json.RawMessage(n.claims)
	}
	r.IP, r.IdleTimeout = n.ip, time.Duration(n.idleMillis)*time.Millisecond
	r.CreatedAt, r.AuthTime, r.ExpiresAt = n.createdAt.UTC(), n.authTime.UTC(), n.expiresAt.UTC()
	st.State = refresh.State{
		Generation: uint32(n.generation), KeyID: byte(n.keyID), //nolint:gosec // as written
		RedeemedAt: n.redeemedAt.UTC(), Apart: refresh.Generations(n.apart), //nolint:gosec // as written
	}
	copy(st.Branch[:], n.branch)
	st.LastSeenAt, st.SeenBefore = n.lastSeenAt.UTC(), timeOf(n.seenBefore)
	st.RedeemedFrom = session.Device{IP: n.redeemedIP, UserAgent: textOr(n.redeemedAgent, r.UserAgent)}
	st.LastFrom = session.Device{IP: n.lastIP, UserAgent: textOr(n.lastAgent, r.UserAgent)}
	if n.reuseGeneration.Valid {
		st.Reuse.Generation = uint32(n.reuseGeneration.Int64) //nolint:gosec // as written
		st.Reuse.From = session.Device{IP: n.reuseIP, UserAgent: n.reuseAgent.String}
	}
	s.dueAt = n.dueAt.UTC()
	s.End = session.End{At: timeOf(n.endedAt), Reason: session.Reason(n.endReason.String)}
	if n.markScope.Valid {
		s.Mark = revocation.Mark{
			Scope: parseScope(n.markScope.String), SID: sid.ID(n.markSID.Bytes),
			At: timeOf(n.markedAt), Until: timeOf(n.untilAt), Reason: n.markReason.String,
		}
	}
}

// insertArgs are the arguments of the columns of a session, in the order of insertColumns.
func insertArgs(s stored) []any {
	r, st := &s.Session, &s.State
	return []any{
		uuid(r.ID), s.version, r.User.ID, r.ClientID, r.User.Email, r.User.Name, r.User.Image, []byte(r.Claims), r.Audience, r.Scope,
		r.AMR, r.ACR, r.Label, r.IP, r.UserAgent,
		milli(r.CreatedAt), milli(r.AuthTime), milli(r.ExpiresAt), r.IdleTimeout.Milliseconds(), r.Unclaimed, uuid(r.Replaces),
		int64(st.Generation), st.Branch[:], int16(st.KeyID), int16(st.Apart), st.WasDue, milli(st.RedeemedAt), milli(st.LastSeenAt),
		timestamp(st.SeenBefore),
		st.RedeemedFrom.IP, agent(st.RedeemedFrom, r), st.LastFrom.IP, agent(st.LastFrom, r),
		reuseGeneration(st), st.Reuse.From.IP, text(st.Reuse.From.UserAgent),
		milli(s.dueAt), timestamp(s.End.At), text(string(s.End.Reason)),
	}
}

// updateSession writes all columns of a session, for whoever has locked its row. Its arguments are [insertArgs].
const updateSession = `UPDATE sessions SET (` + insertColumns + `) = (` + insertValues + `) WHERE sid = $1`

// uuid is an identifier as a value; the zero one is null.
func uuid(id sid.ID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: !id.IsZero()} }

// text is a string as a value; the empty one is null.
func text(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }

// agent is the user agent of a use; null if it is that of the sign-in.
func agent(from session.Device, of *session.Session) pgtype.Text {
	return pgtype.Text{String: from.UserAgent, Valid: from.UserAgent != of.UserAgent}
}

// reuseGeneration is null unless a copied token was used.
func reuseGeneration(st *session.State) pgtype.Int8 {
	return pgtype.Int8{Int64: int64(st.Reuse.Generation), Valid: st.Reuse != session.Reuse{}}
}

// timestamp is a time as a value; the zero one is null.
func timestamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: milli(t), Valid: !t.IsZero()}
}

// milli is a time in the precision that is stored.
func milli(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func timeOf(t pgtype.Timestamptz) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

func textOr(t pgtype.Text, otherwise string) string {
	if t.Valid {
		return t.String
	}
	return otherwise
}

// isText reports whether the database can have some texts.
func isText(texts ...string) bool {
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
			return false
		}
	}
	return true
}

// scopeText is a scope of a mark as the database has it.
func scopeText(s revocation.Scope) string {
	switch s.Kind {
	case revocation.KindUser:
		return "u:" + s.Name
	case revocation.KindClient:
		return "c:" + s.Name
	case revocation.KindEverything, revocation.KindSession:
	}
	return "e"
}

// parseScope is the scope that a text of [scopeText] stands for.
func parseScope(text string) revocation.Scope {
	switch {
	case len(text) >= 2 && text[:2] == "u:":
		return revocation.UserScope(text[2:])
	case len(text) >= 2 && text[:2] == "c:":
		return revocation.ClientScope(text[2:])
	}
	return revocation.EverythingScope()
}

// asStored is a session as it will be read after it was written.
func asStored(s session.Snapshot) session.Snapshot {
	r, st := &s.Session, &s.State
	r.CreatedAt, r.AuthTime, r.ExpiresAt = milli(r.CreatedAt), milli(r.AuthTime), milli(r.ExpiresAt)
	r.IdleTimeout = r.IdleTimeout.Truncate(time.Millisecond)
	st.RedeemedAt, st.LastSeenAt, st.SeenBefore = milli(st.RedeemedAt), milli(st.LastSeenAt), milli(st.SeenBefore)
	s.End.At = milli(s.End.At)
	return s
}

package list

import (
	"maps"

	"issuer.example/revocation"
	"issuer.example/sid"
)

// entries are the sessions and marks of a set.
type entries struct {
	sessions       map[sid.ID]int64 // until, in Unix seconds
	users, clients map[string]mark
	everything     mark // zero if there is none
}

// mark covers the sessions of one scope up to an identifier.
type mark struct {
	upTo  sid.ID
	until int64 // Unix seconds
}

func (m mark) covers(id sid.ID) bool { return id.Compare(m.upTo) <= 0 }

// extend returns a mark that covers what either covers, until the later end.
func (m mark) extend(upTo sid.ID, until int64) mark {
	if upTo.Compare(m.upTo) > 0 {
		m.upTo = upTo
	}
	m.until = max(m.until, until)
	return m
}

func newEntries() entries {
	return entries{sessions: map[sid.ID]int64{}, users: map[string]mark{}, clients: map[string]mark{}}
}

func (e *entries) len() int {
	n := len(e.sessions) + len(e.users) + len(e.clients)
	if e.everything != (mark{}) {
		n++
	}
	return n
}

// revoked skips the maps of marks while they are empty, as they are most of the time.
func (e *entries) revoked(id sid.ID, user, client string) bool {
	if _, listed := e.sessions[id]; listed {
		return true
	}
	return e.everything.covers(id) ||
		len(e.users) > 0 && e.users[user].covers(id) ||
		len(e.clients) > 0 && e.clients[client].covers(id)
}

func (e *entries) apply(entry revocation.Entry) {
	until := entry.Until.Unix() // rounded down, as Expire rounds its time
	name := entry.Scope.Name
	switch entry.Scope.Kind {
	case revocation.KindSession:
		e.sessions[entry.SID] = max(e.sessions[entry.SID], until)
	case revocation.KindUser:
		e.users[name] = e.users[name].extend(entry.SID, until)
	case revocation.KindClient:
		e.clients[name] = e.clients[name].extend(entry.SID, until)
	case revocation.KindEverything:
		e.everything = e.everything.extend(entry.SID, until)
	}
}

func (e *entries) clone() entries {
	return entries{
		sessions: maps.Clone(e.sessions), users: maps.Clone(e.users), clients: maps.Clone(e.clients),
		everything: e.everything,
	}
}

// unexpired returns the entries that end at or after a time, in maps of their own: a map
// whose entries are deleted keeps its memory.
func (e *entries) unexpired(since int64) entries {
	next := newEntries()
	for id, until := range e.sessions {
		if until >= since {
			next.sessions[id] = until
		}
	}
	for name, m := range e.users {
		if m.until >= since {
			next.users[name] = m
		}
	}
	for name, m := range e.clients {
		if m.until >= since {
			next.clients[name] = m
		}
	}
	if e.everything.until >= since {
		next.everything = e.everything
	}
	return next
}

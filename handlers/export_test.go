package handlers

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Routes lists what Echo routes at a listener, as "METHOD /path/{param}".
func Routes(s *Server, public bool) []string {
	l := s.admin
	if public {
		l = s.public
	}
	var found []string
	for _, r := range l.echo.Routes() {
		parts := strings.Split(r.Path, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = "{" + name + "}"
			}
		}
		found = append(found, r.Method+" "+strings.Join(parts, "/"))
	}
	return found
}

// The parsers of outside bytes.
var (
	ParseForm = parseForm
	Unmarshal = unmarshal
	Printable = printable
	TooDeep   = tooDeep
)

// MintBody is what Unmarshal reads into.
type MintBody = mintBody

// ClientAddress is who asks, as the access log and the limits see it.
func ClientAddress(trusted []netip.Prefix, r *http.Request) netip.Addr {
	return proxies(trusted).client(r)
}

// KnownHost reports whether an issuer is called by that Host.
func KnownHost(issuer, host string) bool { return newHosts(issuer, nil).known(host) }

// SetFrameWithin sets how long a client may take for the frames that it is sent at once.
func SetFrameWithin(s *Server, d time.Duration) { s.frameWithin = d }

// NoteFailures lets that many addresses fail once, and returns how many are kept in memory
// and how many may be.
func NoteFailures(n uint32) (kept, most int) {
	f, err := newFailures(publicFailures(), time.Now)
	if err != nil {
		panic(err)
	}
	for i := range n {
		f.note(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	return f.sources.Len(), maxSources
}

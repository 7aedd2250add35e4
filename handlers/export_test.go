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

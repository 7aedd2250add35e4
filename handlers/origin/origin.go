// Package origin is the origins of web pages and apps (RFC 6454): which text a browser sends in the
// Origin header, and which origins a list of configured ones allows.
//
// [Check] says what is wrong with a configured entry, [NewList] makes the list that requests are
// compared with, and [Of] and [Host] write a URL and a host name as browsers do. An origin of a
// request is compared byte by byte: browsers always send the one canonical form.
package origin

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	// ErrForm means that a text is no origin.
	ErrForm = errors.New("must be an exact origin such as https://app.example.com or capacitor://localhost (scheme, host, port unless it is the usual one, no path), or https://*.preview.example.com")
	// ErrOpaque means that pages of a scheme have no origin that could be told from others.
	ErrOpaque = errors.New("must be an exact origin: null, file, data and the like are the origin of every local file and sandboxed page")
	// ErrWildcard means that an entry has a * in a place where it is not understood.
	ErrWildcard = errors.New("must be an exact origin, or https://*.suffix, where * stands for one label and the suffix has at least two")
)

// schemeForm is the form of a scheme in lower case (RFC 3986 §3.1).
var schemeForm = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// opaqueHostForm is the form of the host of a scheme that browsers know nothing of. It may be
// empty: an app that sends myapp:// has no host.
var opaqueHostForm = regexp.MustCompile(`^[A-Za-z0-9._~%!$&'()+,;=-]*$`)

// Of returns the origin of a page at a URL, as browsers send it: scheme, host and port, in lower
// case, an international name in its ASCII form, without the port that is usual for the scheme.
func Of(text string) (string, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !ok || !schemeForm.MatchString(scheme) {
		return "", ErrForm
	}
	if end := strings.IndexAny(rest, `/?#\`); end >= 0 {
		rest = rest[:end]
	}
	host, port, err := splitPort(rest)
	if err != nil {
		return "", err
	}
	if scheme == "http" || scheme == "https" {
		host, err = Host(host)
	} else {
		host, err = opaqueHost(host)
	}
	if err != nil {
		return "", err
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host, nil
	}
	return scheme + "://" + host + ":" + port, nil
}

// splitPort splits the host from the port, which is returned without leading zeros.
func splitPort(authority string) (host, port string, err error) {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.HasSuffix(authority, "]") {
		return authority, "", nil
	}
	host, port = authority[:colon], authority[colon+1:]
	if port == "" {
		return host, "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", "", ErrForm
	}
	return host, strconv.FormatUint(n, 10), nil
}

// opaqueHost writes the host of another scheme than http: other characters than ASCII are encoded,
// and the case is kept.
func opaqueHost(host string) (string, error) {
	var b strings.Builder
	for i := range len(host) {
		if host[i] < 0x80 {
			b.WriteByte(host[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", host[i])
		}
	}
	if !opaqueHostForm.MatchString(b.String()) {
		return "", ErrForm
	}
	return b.String(), nil
}

package origin

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// hostForm is the form of a host name as browsers send it, with or without the dot of the root.
var hostForm = regexp.MustCompile(`^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$`)

// Host writes the host of an http or https URL as browsers do: a name in lower case and in ASCII
// (UTS 46), an IPv6 address in brackets and in its shortest form.
func Host(host string) (string, error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return ipv6Host(strings.TrimSuffix(inner, "]"), strings.HasSuffix(inner, "]"))
	}
	if isASCII(host) {
		host = strings.ToLower(host)
	} else {
		// Like browsers: no rule of DNS forbids an underscore, and ß stays ß.
		profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false))
		ascii, err := profile.ToASCII(host)
		if err != nil {
			return "", ErrForm
		}
		host = ascii
	}
	if len(host) > 253 || !hostForm.MatchString(host) {
		return "", ErrForm
	}
	if endsInNumber(host) {
		// Browsers read it as an IPv4 address, also in forms that nobody means.
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "", ErrForm
		}
	}
	return host, nil
}

// ipv6Host writes an IPv6 address as browsers do: one that holds an IPv4 address in hexadecimal
// too.
func ipv6Host(text string, closed bool) (string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !closed || !addr.Is6() || addr.Zone() != "" {
		return "", ErrForm
	}
	if addr.Is4In6() {
		b := addr.As16()
		return fmt.Sprintf("[::ffff:%x:%x]", uint16(b[12])<<8|uint16(b[13]), uint16(b[14])<<8|uint16(b[15])), nil
	}
	return "[" + addr.String() + "]", nil
}

// endsInNumber reports whether browsers take a host for an IPv4 address (WHATWG URL, "ends in a
// number").
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

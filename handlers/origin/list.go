package origin

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// wildcardStart begins an entry that stands for every name one label below its suffix.
const wildcardStart = "https://*."

// labelForm is the form of the label that a wildcard stands for.
var labelForm = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

// List is a list of configured origins: exact ones, and https://*.suffix. Requests are compared
// with it here and nowhere else.
type List struct {
	exact    map[string]bool
	suffixes map[string]bool // what follows the * and its dot, with any port
}

// NewList makes a list of entries that pass [Check].
func NewList(entries []string) (*List, error) {
	l := &List{exact: make(map[string]bool), suffixes: make(map[string]bool)}
	for _, entry := range entries {
		if err := Check(entry); err != nil {
			return nil, err
		}
		if suffix, ok := Wildcard(entry); ok {
			l.suffixes[suffix] = true
		} else {
			l.exact[entry] = true
		}
	}
	return l, nil
}

// Contains reports whether the list allows an origin, as it is in an Origin header.
func (l *List) Contains(origin string) bool {
	if l.exact[origin] {
		return true
	}
	host, https := strings.CutPrefix(origin, "https://")
	label, suffix, below := strings.Cut(host, ".")
	return https && below && l.suffixes[suffix] && labelForm.MatchString(label)
}

// Wildcard returns the suffix of an entry https://*.suffix, with its port if it has one. ok is false
// for every other entry.
func Wildcard(entry string) (suffix string, ok bool) {
	return strings.CutPrefix(entry, wildcardStart)
}

// IsPublic reports whether an entry is a wildcard below a public suffix such as vercel.app, where
// anybody can get a name.
func IsPublic(entry string) bool {
	suffix, ok := Wildcard(entry)
	if !ok {
		return false
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(suffix, "."), ":")
	public, listed := publicsuffix.PublicSuffix(name)
	return public == name && (listed || strings.Contains(public, "."))
}

// Check returns what is wrong with a configured entry, nil if it can be in a list. An entry must be
// written as browsers send it; if it is not, the error says what they send.
func Check(entry string) error {
	scheme, _, _ := strings.Cut(strings.ToLower(entry), ":")
	if slices.Contains([]string{"null", "file", "data", "about", "blob", "javascript"}, scheme) {
		return ErrOpaque
	}
	if strings.Contains(entry, "@") {
		return ErrForm
	}
	want, err := canonical(entry)
	if err != nil {
		return err
	}
	if entry != want {
		return fmt.Errorf("must be an exact origin as browsers send it: %s", want)
	}
	return nil
}

// canonical returns the entry in the form that browsers send.
func canonical(entry string) (string, error) {
	if !strings.Contains(entry, "*") {
		return Of(entry)
	}
	if len(entry) < len(wildcardStart) || !strings.EqualFold(entry[:len(wildcardStart)], wildcardStart) {
		return "", ErrWildcard
	}
	suffix, err := Of("https://" + entry[len(wildcardStart):])
	if err != nil {
		return "", ErrWildcard
	}
	suffix = strings.TrimPrefix(suffix, "https://")
	name, _, _ := strings.Cut(strings.TrimSuffix(suffix, "."), ":")
	if !strings.Contains(name, ".") || endsInNumber(name) {
		return "", ErrWildcard
	}
	return wildcardStart + suffix, nil
}

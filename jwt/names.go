package jwt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fewNames is how many names of one object are compared one by one. An object with more
// gets a map, so that the time stays linear.
const fewNames = 32

// nameStack holds the names of all objects that are open, those of the innermost last.
type nameStack struct{ names []foldedName }

// nameRoom is room for the names of most tokens, for a caller to have on its stack.
type nameRoom [16]foldedName

// foldedName is a name with the hash of its folded form.
type foldedName struct {
	text string
	hash uint32
}

// nameSet is the names of one object: those of the stack from base on, or, when they are
// many, the map of their folded forms.
type nameSet struct {
	base int
	many map[string]struct{}
}

func (s *nameStack) open() nameSet { return nameSet{base: len(s.names)} }

func (s *nameStack) close(set nameSet) { s.names = s.names[:set.base] }

// add adds a name to the innermost object. It returns false when the object has one that
// is equal but for case.
func (s *nameStack) add(set *nameSet, text string) bool {
	if set.many != nil {
		return set.add(text)
	}
	name := foldedName{text, foldHash(text)}
	for _, other := range s.names[set.base:] {
		if other.hash == name.hash && strings.EqualFold(other.text, name.text) {
			return false
		}
	}
	s.names = append(s.names, name)
	if len(s.names)-set.base == fewNames {
		set.many = make(map[string]struct{}, 2*fewNames)
		for _, name := range s.names[set.base:] {
			set.add(name.text)
		}
	}
	return true
}

func (set *nameSet) add(text string) bool {
	folded := foldString(text)
	_, taken := set.many[folded]
	set.many[folded] = struct{}{}
	return !taken
}

// foldHash is FNV-1a over the folded form of s.
func foldHash(s string) uint32 {
	hash := uint32(2166136261)
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return foldHashRunes(hash, s[i:])
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		hash = (hash ^ uint32(c)) * 16777619
	}
	return hash
}

// foldHashRunes goes on with the hash where a character beyond ASCII comes.
func foldHashRunes(hash uint32, s string) uint32 {
	for _, r := range s {
		hash = (hash ^ uint32(foldRune(r))) * 16777619 //nolint:gosec // a rune is not negative
	}
	return hash
}

// foldString returns the form that all strings share that are equal under
// [strings.EqualFold], which is how encoding/json matches names. ASCII letters become
// capitals; so do their twins, U+017F for S and U+212A for K.
func foldString(s string) string { return strings.Map(foldRune, s) }

// foldRune returns the least of the characters that r is equal to but for case.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			return r - ('a' - 'A')
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

package jwt

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxListed is how many names of one object are compared with each other. An object with
// more gets a map, so that the time stays linear.
const maxListed = 32

// nameStack holds the names of all objects that the scanner is in, the innermost last.
type nameStack struct{ names []foldedName }

// nameBuffer is large enough for the names of most tokens. It stays on the caller's stack.
type nameBuffer [16]foldedName

// foldedName is a name with the hash of its folded form.
type foldedName struct {
	text string
	hash uint32
}

// nameSet is the set of names of one object: the names on the stack from base on or, for
// more than maxListed, a map of the folded names.
type nameSet struct {
	base int
	many map[string]struct{}
}

func (s *nameStack) open() nameSet { return nameSet{base: len(s.names)} }

func (s *nameStack) close(set nameSet) { s.names = s.names[:set.base] }

// add adds a name to the innermost object. It returns false when the object already has
// one that is equal or differs only in case.
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
	if len(s.names)-set.base == maxListed {
		set.many = make(map[string]struct{}, 2*maxListed)
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

// foldHashRunes continues a hash with a string that is not ASCII.
func foldHashRunes(hash uint32, s string) uint32 {
	for _, r := range s {
		hash = (hash ^ uint32(foldRune(r))) * 16777619 //nolint:gosec // a rune is not negative
	}
	return hash
}

// foldString returns the same string for all strings that are equal under
// [strings.EqualFold], by which encoding/json matches names. ASCII letters become
// capitals, and so do U+017F, which folds to S, and U+212A, which folds to K.
func foldString(s string) string { return strings.Map(foldRune, s) }

// foldRune returns the smallest of the characters that differ from r only in case.
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

package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"issuer.example/handlers/exchange"
	"issuer.example/sid"
)

// companionKeyPurpose names the keys of the companion for [issuer.example/secret.Secret.Derive].
const companionKeyPurpose = "session companion cookie"

// companion makes and checks the cookie that vouches for the session that the issuer itself has put into
// a browser. Its value is the session's id and a MAC of it. Its name begins with __Host-, so that no
// page of a sibling subdomain can write it (RFC 6265bis §4.1.3.2), whereas such a page can plant the
// token of its own session beside ours.
type companion struct {
	name string // "" if cookies of such a name are impossible or not needed
	keys [][sha256.Size]byte
}

const companionLen = len(sid.ID{}) + sha256.Size

// enabled reports whether there is a companion.
func (c companion) enabled() bool { return c.name != "" && len(c.keys) > 0 }

// value returns the companion of a session, made with the first key.
func (c companion) value(id sid.ID) string {
	return base64.RawURLEncoding.EncodeToString(append(id[:], mac(c.keys[0], id)...))
}

// vouchesFor returns the session that the companion in a request vouches for. A companion that no key
// made, or one beside another, counts as none.
func (c companion) vouchesFor(x *exchange.Exchange) (id sid.ID, ok bool) {
	if !c.enabled() {
		return sid.ID{}, false
	}
	values := cookieValues(x, c.name)
	if len(values) != 1 || len(values[0]) != base64.RawURLEncoding.EncodedLen(companionLen) {
		return sid.ID{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(values[0])
	if err != nil || len(raw) != companionLen {
		return sid.ID{}, false
	}
	id = sid.ID(raw[:len(id)])
	ok = slices.ContainsFunc(c.keys, func(key [sha256.Size]byte) bool { return hmac.Equal(mac(key, id), raw[len(id):]) })
	return id, ok
}

func mac(key [sha256.Size]byte, id sid.ID) []byte {
	h := hmac.New(sha256.New, key[:])
	_, _ = h.Write(id[:]) // never fails
	return h.Sum(nil)
}

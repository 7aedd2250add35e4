package refresh

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"

	"issuer.example/sid"
)

// A hand-off code stands for a session whose tokens have not been given out yet. It is
//
//	version | key id | sid (16) | tag (16)
//
// written as "hc_" and unpadded base64url. The tag is HMAC-SHA-256 over everything before it
// and the origin that may claim it, truncated. The code itself is not stored: its session
// tells whether it was claimed (its first generation is redeemed) and until when it can be
// (its idle end).
const (
	handoffPrefix  = "hc_"
	handoffVersion = 1
	handoffRawLen  = 1 + 1 + 16 + tagLen
)

// SealHandoff returns a code for the session that pages of one origin may claim, or with ""
// pages of any origin.
func (r *Keyring) SealHandoff(id sid.ID, origin string) string {
	key := r.keys()[0]
	raw := make([]byte, 0, handoffRawLen)
	raw = append(raw, handoffVersion, key.id)
	raw = append(raw, id[:]...)
	raw = append(raw, key.handoffTag(raw, origin)...)
	return handoffPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// OpenHandoff reads a code that a page of that origin presents. The code must be bound to
// that origin, or to none. Every error is [ErrHandoffInvalid].
func (r *Keyring) OpenHandoff(code, origin string) (sid.ID, error) {
	text, ok := strings.CutPrefix(code, handoffPrefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(handoffRawLen) || strings.ContainsAny(text, "\r\n") {
		return sid.ID{}, errHandoffForged
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || raw[0] != handoffVersion {
		return sid.ID{}, errHandoffForged
	}
	msg, tag := raw[:handoffRawLen-tagLen], raw[handoffRawLen-tagLen:]
	refused := ErrHandoffInvalid // its key may have been removed
	for _, k := range r.keys() {
		if k.id != raw[1] {
			continue
		}
		refused = errHandoffForged // or it is bound to another origin, which looks the same
		for _, bound := range []string{origin, ""} {
			if hmac.Equal(tag, k.handoffTag(msg, bound)) {
				return sid.ID(raw[2:18]), nil
			}
		}
	}
	return sid.ID{}, refused
}

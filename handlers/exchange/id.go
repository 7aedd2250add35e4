package exchange

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// maxRequestID is how long a request id that a proxy gives may be.
const maxRequestID = 64

func newRequestID() string {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return hex.EncodeToString(raw[:])
}

// requestIDOf returns the id that a trusted proxy gave the request, or a new one.
func requestIDOf(x *Exchange) string {
	given := x.Request().Header.Get("X-Request-Id")
	if given != "" && x.listener.cfg.Proxies.trusts(x.peer) && IsPlain(given, maxRequestID, "") {
		return given
	}
	return newRequestID()
}

// IsPlain reports whether s is 1 to limit characters of A-Z a-z 0-9 _ - and those in also.
func IsPlain(s string, limit int, also string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' &&
			strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

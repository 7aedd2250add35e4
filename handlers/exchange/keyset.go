package exchange

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"issuer.example/keys"
)

// AnswerKeySet answers with the public keys, as that media type, and lets caches keep the answer.
func AnswerKeySet(x *Exchange, doc keys.Document, mediaType string) error {
	h := x.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(doc.MaxAge/time.Second)))
	h.Set("ETag", doc.ETag)
	if matchesETag(x.Request().Header.Values("If-None-Match"), doc.ETag) {
		return x.NoContent(http.StatusNotModified)
	}
	return x.Blob(http.StatusOK, mediaType, doc.Body)
}

// matchesETag reports whether If-None-Match names the tag (RFC 9110 §13.1.2).
func matchesETag(headers []string, etag string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag == etag {
				return true
			}
		}
	}
	return false
}

package exchange

import "net/http"

const (
	// MaxHeaderSize is how large the status line and the header fields of an answer should be at most,
	// in bytes. Common proxies refuse a larger answer in their default configuration: nginx reads the
	// headers into one buffer of 4 KiB (proxy_buffer_size).
	MaxHeaderSize = 3500
	// addedHeaderSize is what net/http adds to the headers that a handler sees: the status line, Date,
	// Content-Length, Connection and the empty line.
	addedHeaderSize = 110
	// contentTypeSize is the length of the longest Content-Type field of an answer.
	contentTypeSize = 45
)

// BeforeAnswer calls f just before the headers of the answer are sent.
func (x *Exchange) BeforeAnswer(f func()) { x.echo.Response().Before(f) }

// HeaderFits reports whether a further header field keeps the headers within [MaxHeaderSize].
func (x *Exchange) HeaderFits(name, value string) bool {
	return headerSize(x.Header())+fieldSize(name, value) <= MaxHeaderSize
}

// headerSize is how large the headers of an answer will be, in bytes.
func headerSize(h http.Header) int {
	size := addedHeaderSize
	if len(h["Content-Type"]) == 0 {
		size += contentTypeSize
	}
	for name, values := range h {
		for _, value := range values {
			size += fieldSize(name, value)
		}
	}
	return size
}

func fieldSize(name, value string) int { return len(name) + len(": ") + len(value) + len("\r\n") }

// warnLargeHeader logs once that an answer had larger headers than a proxy may accept.
func warnLargeHeader(x *Exchange) {
	l := x.listener
	size := headerSize(x.Header())
	if size <= MaxHeaderSize || l.warnedLargeHeader.Swap(true) {
		return
	}
	l.cfg.Logger.WarnContext(x.ctx, "the headers of an answer are larger than a proxy accepts by default: "+
		"give the sessions smaller claims, or raise the limit of the proxy (nginx: proxy_buffer_size)",
		"route", pattern(x), "bytes", size, "recommended", MaxHeaderSize)
}

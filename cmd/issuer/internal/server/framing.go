package server

import "net/http"

// closeUncertain makes the server close the connection after every request whose end a proxy
// in front of it could see in another place than net/http does:
//
//   - A request with a Transfer-Encoding. Beside it, net/http ignores a Content-Length and
//     hides that there was one; a proxy may count by the Content-Length.
//   - A request of HTTP/1.0. net/http ignores its Transfer-Encoding and hides that there was
//     one; a proxy may read the body by it.
//
// Such a request is answered once, and what follows it on the connection is never read as a
// second request, so none can be smuggled past the proxy (RFC 9112 §11.2). Every other
// request has its end where its Content-Length says, or at the end of its header.
func closeUncertain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

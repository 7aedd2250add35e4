// Package handlers is the HTTP interface of the issuer: every route of the public and
// of the admin listener, and nothing else. openapi.yaml is its exact form.
//
// [New] makes a [Server]; [Server.Public] and [Server.Admin] are the two handlers that
// the caller listens with. Handlers read a request, ask [session.Service],
// [keys.Manager] or [feed.Hub], and write the answer; what is allowed is decided there.
//
// Callers must know:
//
//   - The timeouts, the limit of the header size and the cap on connections belong to
//     the http.Server that the caller makes. The stream of revocations and the backup
//     set deadlines of their own for each write.
//   - Every answer but the JWKS says Cache-Control: no-store.
//   - An error that the table in refusals.go does not list is a 500 whose text only the
//     log sees, under the request id that the answer names.
//   - No token, cookie, query or Authorization header is ever logged.
package handlers

// Package handlers is the HTTP interface of the issuer: it assembles the audiences into the routes of the
// public and of the admin listener. openapi.yaml is the exact form of all of them.
//
// [New] makes a [Server]; [Server.Public] and [Server.Admin] are the two handlers that the caller listens
// with. The audiences are packages beneath this one that never import each other: v1, betterauth, oauth,
// revocations, account, admin and wellknown. They stand on package credential, which finds out who calls,
// and on package exchange, which is one request and its answer.
//
// Callers must know:
//
//   - The timeouts of connections, the limit of the header size and the cap on connections belong to the
//     http.Server that the caller makes. So does closing the connection after a request whose end a proxy
//     may see elsewhere (a Transfer-Encoding, or HTTP/1.0). The stream of revocations and the backup set a
//     deadline for each write.
//   - Every answer but the key set and the style sheet says Cache-Control: no-store.
//   - A request must call the issuer by one of its names, or it is answered 421; see [Config.Hosts].
package handlers

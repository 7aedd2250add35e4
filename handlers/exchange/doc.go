// Package exchange is one HTTP request and its answer: what all audiences of the issuer's HTTP
// interface share.
//
// [NewListener] turns a table of [Route] values into an http.Handler. For each request it makes
// an [Exchange], checks the request against the limits (host, body, cookies, encodings), calls
// the handler of the route, turns an error into a refusal and writes the access log. Handlers
// read the request and write the answer through the Exchange, and return an error to refuse.
//
// Callers must know:
//
//   - This is the only package that imports Echo and the JSON library.
//   - [RefusalFor] is the table from an error of a domain to a status and a code. An error that
//     it does not list is a 500; its text goes to the log only, under the request id that the
//     answer names.
//   - The context of a request ends after [RequestTimeout], unless its route is Unbounded.
//   - No token, cookie, query or Authorization header is ever logged.
package exchange

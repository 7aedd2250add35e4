// Package client holds the programs that call the issuer by a credential of their own:
// today the backends, verifiers and operators that have a service key.
//
// A service key is a secret text, "sk_" and 43 characters of base64url. [GenerateKey]
// makes one and [ParseKey] checks one. The issuer never stores the text: a [Key] holds its
// SHA-256 ([HashKey], [ParseHash]), the name that appears in logs and as the client_id of
// sessions, and the scopes ([Scope]) that say what the key may do.
//
// A [Registry] finds the Key that a presented text belongs to, and remembers when each
// key was last used.
package client

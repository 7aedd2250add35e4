// Package credential finds out who calls: it reads the credentials of a request and turns them
// into one [Caller].
//
// A caller is one of three:
//
//   - a holder, by an access token: as bearer token, or in the access cookie;
//   - a member, by the refresh token in the session cookie or as bearer token, as better-auth clients call;
//   - a client, by a service key: as bearer token, or by HTTP Basic.
//
// [Authenticator.Holder], [Authenticator.Member], [Clients.Require] and their combinations ask for
// one. [Authenticator.RefreshToken] picks the token to redeem, and
// [Authenticator.SignOut] ends whatever was presented.
//
// This table says what may stand beside what. An explicit token is a bearer token, or the refresh
// token in the body. A cookie is live if its token belongs to a live session.
//
//	explicit token  cookies                       outcome
//	--------------  ----------------------------  ------------------------------------------------
//	-               -                             401, without an error in the challenge
//	-               live ones of one session      that session; refused ones beside it are ignored
//	-               live ones of several          the newest session
//	                sessions of one user
//	-               live ones of two users        400; what a sibling subdomain may have
//	                                              planted is cleared
//	-               all refused                   the refusal that says most: a copied token, then
//	                                              an ended session, then a bad token
//	accepted        refused or of its session     the explicit token
//	accepted        a live one of another         400; the cookies stay, because it is not known
//	                session                       which of the two is wanted
//	refused         any                           the refusal of the explicit token
//	- or accepted   one that the store cannot     503
//	                look up now
//	service key     any                           the client; cookies are not looked at
//	two Authorization headers, or two             400
//	credentials in one
//	more than 8 cookies of one name               400; what a sibling subdomain may have
//	                                              planted is cleared
//
// Cookies of another session than the one that the companion vouches for are left out before the table
// applies. So are texts that name its session and that the issuer has not signed, if there are more than 8.
//
// A bearer token beside a refresh token in the body is not looked at: a page may attach its access
// token to every request. A change by cookie alone must come from a page of an allowed origin
// ([Origins]). Signing out ends each session that was presented before it refuses more than one.
//
// To choose between cookies, each is looked up once at most.
//
// Failed credentials are counted by address: too many are answered 429 instead of 401, while a valid
// credential is never held up. Only a text with the form of a token of the issuer's and a wrong signature
// counts. A cookie of another form is one of another system, which many browsers still have after a
// migration: it is refused, and that is all. The API under /v1 and service keys also count a bearer token
// that is no token at all.
package credential

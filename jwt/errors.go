package jwt

import "errors"

// The reasons for which a token, a key or a set of claims is refused. An error may wrap
// two: one for the part that is wrong, and one for what is wrong with it, such as
// ErrPayload and ErrJSON, or ErrKeyID and ErrDuplicate.
var (
	// ErrSize means that a token, a document or a set of claims is larger than allowed.
	ErrSize = errors.New("jwt: too large")
	// ErrEncoding means that the text is not three parts of canonical, unpadded
	// base64url (RFC 7515 §2, RFC 4648 §3.5).
	ErrEncoding = errors.New("jwt: not a compact JWS in canonical base64url")
	// ErrHeader means that the header is not a JSON object of alg, typ and kid only.
	ErrHeader = errors.New("jwt: header is not allowed")
	// ErrCritical means that the header has crit (RFC 7515 §4.1.11): no extension
	// is understood here.
	ErrCritical = errors.New("jwt: critical extensions are not supported")
	// ErrContentType means that the header has cty, as that of a nested token does.
	ErrContentType = errors.New("jwt: nested content is not accepted")
	// ErrAlgorithm means that alg is missing, malformed, none, symmetric or unknown.
	ErrAlgorithm = errors.New("jwt: algorithm is not allowed")
	// ErrKeyMismatch means that the key is for another algorithm than the header's.
	ErrKeyMismatch = errors.New("jwt: algorithm is not that of the key")
	// ErrKeyID means that kid is missing or malformed.
	ErrKeyID = errors.New("jwt: key id is missing or malformed")
	// ErrUnknownKey means that the verifier has no key with this kid. Its key set may
	// be out of date.
	ErrUnknownKey = errors.New("jwt: unknown key id")
	// ErrType means that typ is missing, malformed or that of another kind of JWS.
	ErrType = errors.New("jwt: wrong type of token")
	// ErrSignature means that the signature does not verify with the key.
	ErrSignature = errors.New("jwt: signature does not verify")
	// ErrDuplicate means that an object has two members whose names are equal or differ
	// only in case.
	ErrDuplicate = errors.New("jwt: duplicate member")
	// ErrJSON means that a text is not JSON in the strict form of [CheckJSON].
	ErrJSON = errors.New("jwt: not strict JSON")
	// ErrPayload means that the payload is not a JSON object.
	ErrPayload = errors.New("jwt: payload is not a JSON object")
	// ErrIssuer means that iss is missing or not the verifier's issuer.
	ErrIssuer = errors.New("jwt: wrong issuer")
	// ErrAudience means that aud is missing, malformed or does not name the verifier.
	ErrAudience = errors.New("jwt: wrong audience")
	// ErrExpiry means that exp is missing or not a whole number of seconds in range.
	ErrExpiry = errors.New("jwt: expiry is missing or malformed")
	// ErrExpired means that exp has passed.
	ErrExpired = errors.New("jwt: expired")
	// ErrNotYetValid means that nbf is in the future.
	ErrNotYetValid = errors.New("jwt: not valid yet")
	// ErrIssuedAt means that iat is missing, malformed or in the future.
	ErrIssuedAt = errors.New("jwt: issue time is missing, malformed or in the future")
	// ErrLifetime means that exp is not after iat, or further after it than allowed.
	ErrLifetime = errors.New("jwt: lifetime is not allowed")
	// ErrClaims means that another claim is missing or malformed.
	ErrClaims = errors.New("jwt: malformed claims")
	// ErrRegisteredClaim means that a caller tried to set a claim that only the issuer
	// sets; see [Registered].
	ErrRegisteredClaim = errors.New("jwt: claim is reserved")
	// ErrKey means that a key, or a key set, is not acceptable.
	ErrKey = errors.New("jwt: unacceptable key")
)

// Cause returns a short name for the reason that err wraps, such as "alg", "sig" or
// "exp", and "" when err wraps none of this package's sentinels. The set of names is
// small and fixed, so they can be labels of a metric.
func Cause(err error) string {
	for _, row := range causes {
		if errors.Is(err, row.err) {
			return row.name
		}
	}
	return ""
}

// causes is ordered, since an error may wrap two sentinels: a duplicate kid is "kid", not
// "duplicate", and a duplicate name in a payload is "duplicate", not "payload".
var causes = [...]struct {
	err  error
	name string
}{
	{ErrSize, "size"},
	{ErrEncoding, "encoding"},
	{ErrKeyID, "kid"},
	{ErrUnknownKey, "kid"},
	{ErrDuplicate, "duplicate"},
	{ErrHeader, "header-not-allowed"},
	{ErrCritical, "crit"},
	{ErrContentType, "cty"},
	{ErrAlgorithm, "alg"},
	{ErrKeyMismatch, "alg-key-mismatch"},
	{ErrType, "typ"},
	{ErrSignature, "sig"},
	{ErrPayload, "payload"},
	{ErrIssuer, "iss"},
	{ErrAudience, "aud"},
	{ErrExpiry, "exp"},
	{ErrExpired, "exp"},
	{ErrNotYetValid, "nbf"},
	{ErrIssuedAt, "iat"},
	{ErrLifetime, "lifetime"},
	{ErrClaims, "claims"},
	{ErrRegisteredClaim, "claims"},
	{ErrKey, "key"},
	{ErrJSON, "json"},
}

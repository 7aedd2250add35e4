package jwt

import (
	"errors"
	"fmt"
)

// MaxExtraSize is the size in bytes of the largest object that [CheckExtra] accepts.
const MaxExtraSize = 4 << 10

// Registered reports whether a caller may not add a claim of this name, in any case of
// letters, to a token: because the issuer sets it, or because it is a registered claim
// that a service would believe the issuer to have set.
func Registered(name string) bool {
	switch foldString(name) {
	case "ISS", "SUB", "AUD", "EXP", "NBF", "IAT", "JTI", "SID", "AUTH_TIME", "AMR", "ACR", "CLIENT_ID",
		"CNF", "ACT", "MAY_ACT", "SCOPE", "AUTHORIZATION_DETAILS", // proof of possession, delegation, rights
		"ALG", "TYP", "KID", "CTY", "CRIT", // headers
		"AZP", "NONCE", "AT_HASH", "C_HASH", "S_HASH", "SUB_JWK", // ID tokens
		"EVENTS", "SUB_ID", "TXN", "TOE", // security events
		"ACTIVE", "TOKEN_TYPE", "TOKEN_INTROSPECTION", "STATUS", "STATUS_LIST", // answers about tokens
		"HTM", "HTU", "ATH", // DPoP proofs
		"_CLAIM_NAMES", "_CLAIM_SOURCES", // claims from elsewhere
		"__PROTO__": // would change the object that a JavaScript service merges claims into
		return true
	default:
		return false
	}
}

// CheckExtra returns nil if raw can be the claims that a caller adds to a token: a strict
// JSON object ([CheckJSON], 16 levels) of at most [MaxExtraSize] bytes without a
// [Registered] name. Otherwise the error wraps [ErrSize], [ErrDuplicate],
// [ErrRegisteredClaim] or [ErrClaims].
func CheckExtra(raw []byte) error {
	if len(raw) > MaxExtraSize {
		return fmt.Errorf("%w: claims of %d bytes, more than %d", ErrSize, len(raw), MaxExtraSize)
	}
	members, err := scanObject(string(raw), nil)
	switch {
	case errors.Is(err, ErrDuplicate):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrClaims, err)
	}
	for _, m := range members {
		if Registered(m.name) {
			return fmt.Errorf("%w: %.32q", ErrRegisteredClaim, m.name)
		}
	}
	return nil
}

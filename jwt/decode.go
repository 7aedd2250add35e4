package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// decodeClaims parses a payload and checks the form of each claim. Claims may be missing.
func decodeClaims(payload []byte) (*Claims, error) {
	text := string(payload) // its memory is shared by the claims' strings
	var buf [16]member
	members, err := scanObject(text, buf[:0])
	if errors.Is(err, ErrDuplicate) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	c := new(Claims)
	for _, m := range members {
		known, err := c.set(m.name, text[m.start:m.end])
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if isClaimField(foldString(m.name)) {
			return nil, fmt.Errorf("%w: a claim's name in another case", ErrDuplicate)
		}
		if c.Extra == nil {
			c.Extra = make(map[string]json.RawMessage)
		}
		c.Extra[m.name] = payload[m.start:m.end:m.end]
	}
	return c, c.check()
}

// isClaimField reports whether a folded name is the name of a claim that has a field in
// [Claims].
func isClaimField(folded string) bool {
	switch folded {
	case "ISS", "SUB", "AUD", "EXP", "NBF", "IAT", "JTI", "SID", "AUTH_TIME", "AMR", "ACR", "CLIENT_ID":
		return true
	default:
		return false
	}
}

// set parses a scanned value into the claim's field. It returns false if there is none.
func (c *Claims) set(name, value string) (known bool, err error) {
	switch name {
	case "iss":
		c.Issuer, err = textClaim(value, ErrIssuer, "iss")
	case "sub":
		c.Subject, err = textClaim(value, ErrClaims, "sub")
	case "aud":
		c.Audience, err = audienceClaim(value)
	case "exp":
		c.Expiry, err = timeClaim(value, ErrExpiry, "exp")
	case "nbf":
		c.NotBefore, err = timeClaim(value, ErrClaims, "nbf")
	case "iat":
		c.IssuedAt, err = timeClaim(value, ErrIssuedAt, "iat")
	case "auth_time":
		c.AuthTime, err = timeClaim(value, ErrClaims, "auth_time")
	case "jti":
		c.ID, err = textClaim(value, ErrClaims, "jti")
	case "sid":
		c.SessionID, err = textClaim(value, ErrClaims, "sid")
	case "client_id":
		c.ClientID, err = textClaim(value, ErrClaims, "client_id")
	case "acr":
		c.ACR, err = textClaim(value, ErrClaims, "acr")
	case "amr":
		c.AMR, err = listClaim(value, maxAMR, ErrClaims, "amr")
	default:
		return false, nil
	}
	return true, err
}

// textClaim reads a string that is not empty.
func textClaim(value string, sentinel error, name string) (string, error) {
	text, ok := stringValue(value)
	if !ok || text == "" {
		return "", fmt.Errorf("%w: %s is not a string, or empty", sentinel, name)
	}
	return text, nil
}

// timeClaim reads whole seconds since 1970, without fraction or exponent.
func timeClaim(value string, sentinel error, name string) (time.Time, error) {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds < 1 || seconds > maxTime {
		return time.Time{}, fmt.Errorf("%w: %s is not an integer in range", sentinel, name)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// audienceClaim reads aud: one string, or an array of strings.
func audienceClaim(value string) ([]string, error) {
	if value[0] != '"' {
		return listClaim(value, maxAudience, ErrAudience, "aud")
	}
	one, err := textClaim(value, ErrAudience, "aud")
	return []string{one}, err
}

// listClaim reads an array of 1 to limit strings, none of them empty.
func listClaim(value string, limit int, sentinel error, name string) ([]string, error) {
	if value[0] != '[' {
		return nil, fmt.Errorf("%w: %s is not an array", sentinel, name)
	}
	s := scanner{text: value, pos: 1}
	s.space()
	var list []string
	for s.peek() == '"' && len(list) < limit {
		entry, err := s.quoted()
		if err != nil || entry == "" {
			break
		}
		list = append(list, entry)
		s.space()
		if s.peek() == ']' {
			return list, nil
		}
		s.pos++ // the comma: the value was scanned before
		s.space()
	}
	return nil, fmt.Errorf("%w: %s is not an array of 1 to %d strings", sentinel, name, limit)
}

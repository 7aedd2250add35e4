package jwt

// VerifyWithoutKeyID verifies a JWS that has no kid, as those in the appendices of the
// RFCs, with a given key.
func VerifyWithoutKeyID(token string, key Key) (Header, []byte, error) {
	parts, err := splitJWS(token, MaxTokenSize)
	if err != nil {
		return Header{}, nil, err
	}
	return parts.header, parts.payload, key.verify(parts)
}

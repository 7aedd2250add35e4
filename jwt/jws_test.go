package jwt_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"issuer.example/jwt"
)

const documentType = "revocations+jwt"

func TestVerifyDocument(t *testing.T) {
	keys := loadKeys(t)
	for _, alg := range algorithms {
		for _, size := range []int{1, jwt.MaxTokenSize, 1 << 20} {
			payload := bytes.Repeat([]byte{'x'}, size)
			text, err := keys.signer(t, alg).Sign(documentType, payload)
			if err != nil {
				t.Fatal(err)
			}
			got, err := jwt.VerifyDocument([]byte(text), keys.set(t), "application/"+documentType, len(text))
			if err != nil || !bytes.Equal(got, payload) {
				t.Errorf("%s, %d bytes: %d bytes, %v", alg, size, len(got), err)
			}
		}
	}
}

func TestVerifyDocumentRefuses(t *testing.T) {
	keys := loadKeys(t)
	signer := keys.signer(t, jwt.ES256)
	good, err := signer.Sign(documentType, []byte(`{"next":1}`))
	if err != nil {
		t.Fatal(err)
	}
	other, err := signer.Sign(jwt.TypeAccessToken, []byte(`{"next":1}`))
	if err != nil {
		t.Fatal(err)
	}
	kid := signer.Key().ID
	raw := func(header string) string { return signRaw(t, keys[jwt.ES256], header, `{"next":1}`) }
	head, rest, _ := strings.Cut(good, ".")
	body, sig, _ := strings.Cut(rest, ".")
	flipped := []byte(good)
	flipped[len(head)+2] ^= 1
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"an access token":  {other, jwt.ErrType},
		"a flipped bit":    {string(flipped), jwt.ErrSignature},
		"another body":     {head + ".eyJuZXh0IjoyfQ." + sig, jwt.ErrSignature},
		"no signature":     {head + "." + body + ".", jwt.ErrSignature},
		"two parts":        {head + "." + body, jwt.ErrEncoding},
		"four parts":       {good + ".x", jwt.ErrEncoding},
		"no parts":         {"x", jwt.ErrEncoding},
		"empty":            {"", jwt.ErrEncoding},
		"empty header":     {"." + rest, jwt.ErrEncoding},
		"empty body":       {head + ".." + sig, jwt.ErrEncoding},
		"a newline":        {good + "\n", jwt.ErrEncoding},
		"a long header":    {strings.Repeat("a", jwt.MaxTokenSize+1) + "." + rest, jwt.ErrEncoding},
		"a long signature": {good + strings.Repeat("a", 4000), jwt.ErrEncoding},
		"none":             {raw(`{"alg":"none","kid":"` + kid + `","typ":"` + documentType + `"}`), jwt.ErrAlgorithm},
		"another alg":      {raw(`{"alg":"RS256","kid":"` + kid + `","typ":"` + documentType + `"}`), jwt.ErrKeyMismatch},
		"unknown kid":      {raw(`{"alg":"ES256","kid":"x","typ":"` + documentType + `"}`), jwt.ErrUnknownKey},
		"no kid":           {raw(`{"alg":"ES256","typ":"` + documentType + `"}`), jwt.ErrKeyID},
		"no typ":           {raw(`{"alg":"ES256","kid":"` + kid + `"}`), jwt.ErrType},
		"crit":             {raw(`{"alg":"ES256","kid":"` + kid + `","typ":"` + documentType + `","crit":["x"]}`), jwt.ErrCritical},
	} {
		if payload, err := jwt.VerifyDocument([]byte(c.text), keys.set(t), documentType, 1<<20); !errors.Is(err, c.want) || payload != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := jwt.VerifyDocument([]byte(good), keys.set(t), documentType, len(good)-1); !errors.Is(err, jwt.ErrSize) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := jwt.VerifyDocument([]byte(good), keys.set(t), "", 1<<20); !errors.Is(err, jwt.ErrType) {
		t.Errorf("without a type: %v", err)
	}
}

// A document of a token's size is judged as a token is.
func FuzzVerifyDocument(f *testing.F) {
	keys := loadKeys(f)
	set := keys.set(f)
	for _, alg := range algorithms {
		text, err := keys.signer(f, alg).Sign(documentType, []byte(`{"next":1}`))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		payload, err := jwt.VerifyDocument([]byte(text), set, documentType, jwt.MaxTokenSize)
		if err != nil {
			return
		}
		header, same, err := jwt.VerifySignature(text, set)
		if err != nil || !bytes.Equal(payload, same) || !strings.EqualFold(header.Type, documentType) {
			t.Fatalf("%v, %+v", err, header)
		}
	})
}

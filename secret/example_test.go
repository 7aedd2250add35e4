package secret_test

import (
	"fmt"

	"issuer.example/secret"
)

func ExampleParse() {
	s, err := secret.Parse([]byte(secret.Generate() + "\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	key := s.Derive("an example")
	fmt.Println(s, len(key))
	// Output: [redacted] 32
}

func ExampleParse_refused() {
	_, err := secret.Parse([]byte("hunter2"))
	fmt.Println(err)
	// Output: secret: not a valid secret: shorter than 32 bytes
}

package client_test

import (
	"fmt"

	"issuer.example/client"
)

func Example() {
	text := client.GenerateKey() // shown to the operator once
	clients, err := client.NewRegistry([]client.Key{
		{Name: "backend", SHA256: client.HashKey(text), Scopes: []client.Scope{client.ScopeMint}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	key, ok := clients.Find(text)
	fmt.Println(key.Name, ok, key.Allows(client.ScopeMint), key.Allows(client.ScopeAdmin))
	// Output: backend true true false
}

func ExampleParseScope() {
	_, err := client.ParseScope("sessions:write")
	fmt.Println(err)
	// Output: client: unknown scope; known scopes are sessions:mint, sessions:read, sessions:revoke, revocations:read, tokens:introspect, admin
}

package list_test

import (
	"fmt"
	"time"

	"issuer.example/revocation"
	"issuer.example/revocation/list"
	"issuer.example/sid"
)

// A mark covers the sessions that a user had, and not the one that begins right after.
func ExampleSet() {
	ids := sid.NewGenerator(nil)
	before, upTo, after := ids.Next(), ids.Next(), ids.Next()

	set := list.NewSet()
	set.Apply(revocation.Entry{
		Seq: 1, Scope: revocation.UserScope("u1"), SID: upTo, Until: time.Now().Add(6 * time.Minute),
	})
	fmt.Println(set.Revoked(before, "u1", "app"), set.Revoked(after, "u1", "app"), set.Revoked(before, "u2", "app"))
	// Output: true false false
}

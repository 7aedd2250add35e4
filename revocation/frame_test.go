package revocation_test

import (
	"testing"

	"issuer.example/revocation"
)

func TestAppendFrame(t *testing.T) {
	stream := revocation.AppendFrame(nil, 42, revocation.FrameRevoked, "a.b.c")
	stream = revocation.AppendComment(stream, "alive")
	stream = revocation.AppendFrame(stream, 0, revocation.FrameGone, "{}")
	const want = "id: 42\nevent: revoked\ndata: a.b.c\n\n: alive\n\nevent: gone\ndata: {}\n\n"
	if string(stream) != want {
		t.Errorf("%q", stream)
	}
}

package fact

import (
	"context"

	"issuer.example/revocation"
)

// Log is the journal as its readers see it. It is safe for concurrent use.
//
// A reader keeps the number of the last fact that it has read, and asks for what follows.
// One for whom after+1 < first has missed facts, because they were trimmed. Facts that are
// damaged are left out: their numbers are missing in what Facts returns, while Revocations
// fails, because a verifier must not miss one.
type Log interface {
	// Head returns the number of the newest fact, 0 when there has been none: where a reader
	// begins that wants only what follows.
	Head(ctx context.Context) (uint64, error)

	// Facts returns up to limit facts whose number is greater than after, in order and
	// without gaps, and the number of the oldest fact that is still kept (the next one to
	// be given, when none is).
	Facts(ctx context.Context, after uint64, limit int) (facts []Fact, first uint64, err error)

	// Revocations returns the same of the facts that verifiers must know of, as the
	// entries that they are for verifiers. The numbers are [Fact.Revocation].
	Revocations(ctx context.Context, after uint64, limit int) (entries []revocation.Entry, first uint64, err error)

	// Watch returns a channel that gets a value whenever facts may have been added, after
	// they are durable, until ctx ends. It never holds up the writer: several additions may
	// come as one value. The channel is never closed.
	Watch(ctx context.Context) <-chan struct{}
}

// Recorder adds facts that go with no other change of the store.
type Recorder interface {
	// Record writes a fact of kind [Administered].
	Record(ctx context.Context, f Fact) error
}

package keys

import "context"

// Stored is the whole set of keys, as a store keeps it.
type Stored struct {
	// Version is the number of swaps, 0 when nothing was ever stored.
	Version uint64
	// Document is opaque to the store. It is nil when Version is 0.
	Document []byte
}

// Store keeps one document, durably. It is safe for concurrent use.
type Store interface {
	// LoadKeys returns the document of the last swap. When there was none it returns
	// the zero Stored and no error. The caller may keep and change the bytes.
	LoadKeys(ctx context.Context) (Stored, error)

	// SwapKeys replaces the document of version from by document, whose version is
	// from+1. When the stored version is not from, it returns [ErrConflict] and
	// changes nothing: of several concurrent swaps from one version exactly one
	// succeeds. When it returns nil the change is durable. After any other error the
	// change may or may not have happened, and the caller loads again. The store
	// does not keep the caller's bytes.
	//
	// The changes are the steps between the two documents. There may be none, as
	// when a document is only sealed anew. A store that keeps a journal writes them
	// to it in the transaction of the swap; others ignore them.
	SwapKeys(ctx context.Context, from uint64, document []byte, changes []Change) error
}

package keys

import "context"

// Stored is the whole set of keys as a store holds it.
type Stored struct {
	// Version counts the swaps. It is 0 when nothing was ever stored.
	Version uint64
	// Document is opaque to the store. It is nil when Version is 0.
	Document []byte
}

// Store keeps one document, durably. It is safe for concurrent use.
type Store interface {
	// LoadKeys returns the newest document that a swap stored. It is the zero
	// Stored, and no error, when there is none. The caller may keep the bytes.
	LoadKeys(ctx context.Context) (Stored, error)

	// SwapKeys replaces the document of version from by document, whose version
	// becomes from+1. It is [ErrConflict], and nothing changes, when the stored
	// version is not from: of several concurrent swaps from one version exactly
	// one succeeds. The change is durable when nil is returned. After any other
	// error it may or may not have happened: the caller loads again.
	//
	// The changes are the steps between the two documents. There may be none, as
	// when a document is only sealed anew. A store that keeps a journal writes them
	// to it in the transaction of the swap; others ignore them.
	SwapKeys(ctx context.Context, from uint64, document []byte, changes []Change) error
}

package bolt

import "errors"

// What [Open] and [Compact] refuse with, wrapped with the path, and [DB.Healthy] explains
// a failure with.
var (
	// ErrLocked means that another process has the file open.
	ErrLocked = errors.New("another process holds the data file")
	// ErrEmpty means that the file exists and has no content. It is not made a new
	// store, because it may be what is left of an old one.
	ErrEmpty = errors.New("the data file is empty; remove it to begin anew")
	// ErrNotRegular means that the path is a folder, a device or the like.
	ErrNotRegular = errors.New("the data file is not a regular file")
	// ErrPermissions means that others than the owner may read or write the file, or
	// that the owner may not.
	ErrPermissions = errors.New("the data file must be readable and writable by its owner alone (mode 0600)")
	// ErrNotStore means that the file is not a bbolt file, or that its header is lost.
	ErrNotStore = errors.New("the data file is not a bbolt file, or its header is destroyed")
	// ErrForeign means that the file is a bbolt file of another program.
	ErrForeign = errors.New("the data file belongs to another program")
	// ErrNewer means that a newer version of this program has written the file.
	ErrNewer = errors.New("the data file was written by a newer version")
	// ErrTruncated means that the file is shorter than its header says.
	ErrTruncated = errors.New("the data file is truncated")
	// ErrDamaged means that what was read is not what was written.
	ErrDamaged = errors.New("the data file is damaged")
	// ErrForgotten is why a store stays out of service whose file has lost commits that
	// were acknowledged: the disk has lost them, or somebody has put an older file in its
	// place. What was revoked would be valid again. Only a restart, which is an operator's
	// decision, accepts such a file.
	ErrForgotten = errors.New("the data file lacks commits that were acknowledged")
)

// errPanic is what a caller gets whose transaction function panicked.
var errPanic = errors.New("bolt: transaction function panicked")

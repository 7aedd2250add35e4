package bolt

import (
	"errors"

	"issuer.example/store/bolt/internal/file"
)

// What [Open], [Compact], [Export] and [Import] refuse a file with, wrapped with its path. [DB.Healthy] explains
// a failure with them.
var (
	// ErrLocked means that another process has the file open.
	ErrLocked = file.ErrLocked
	// ErrEmpty means that the file exists and has no content. It is not made a new
	// store, because it may be what is left of an old one.
	ErrEmpty = file.ErrEmpty
	// ErrExists means that [Import] is to make a file where there is one.
	ErrExists = file.ErrExists
	// ErrNotRegular means that the path is a folder, a device or the like.
	ErrNotRegular = file.ErrNotRegular
	// ErrPermissions means that others than the owner may read or write the file, or
	// that the owner may not.
	ErrPermissions = file.ErrPermissions
	// ErrNotStore means that the file is not a bbolt file, or that its header is lost.
	ErrNotStore = file.ErrNotBolt
	// ErrTruncated means that the file is shorter than its header says.
	ErrTruncated = file.ErrTruncated
	// ErrDamaged means that what was read is not what was written.
	ErrDamaged = file.ErrDamaged
	// ErrForeign means that the file is a bbolt file of another program.
	ErrForeign = errors.New("the data file belongs to another program")
	// ErrNewer means that a newer version of this program has written the file.
	ErrNewer = errors.New("the data file was written by a newer version")
	// ErrForgotten means that the file has lost commits that were acknowledged: the disk has
	// lost them, or somebody has put an older file in its place. What was revoked would be
	// valid again, so the store stays out of service. Only a restart, which is an operator's
	// decision, accepts such a file.
	ErrForgotten = errors.New("the data file lacks commits that were acknowledged")
)

// errPanic is what a caller gets whose function panicked.
var errPanic = errors.New("bolt: a function that the store was given panicked")

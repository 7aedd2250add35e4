package file

import "errors"

// What is wrong with a file. The back end adds its path.
var (
	// ErrLocked means that another process has the file open.
	ErrLocked = errors.New("another process holds the data file")
	// ErrEmpty means that the file exists and has no content. It is not made a new
	// store, because it may be what is left of an old one.
	ErrEmpty = errors.New("the data file is empty; remove it to begin anew")
	// ErrExists means that a file is to be made where there is one.
	ErrExists = errors.New("the data file exists already")
	// ErrNotRegular means that the path is a folder, a device or the like.
	ErrNotRegular = errors.New("the data file is not a regular file")
	// ErrPermissions means that others than the owner may read or write the file, or
	// that the owner may not.
	ErrPermissions = errors.New("the data file must be readable and writable by its owner alone (mode 0600)")
	// ErrNotBolt means that the file is not a bbolt file, or that its header is lost.
	ErrNotBolt = errors.New("the data file is not a bbolt file, or its header is destroyed")
	// ErrTruncated means that the file is shorter than its header says.
	ErrTruncated = errors.New("the data file is truncated")
	// ErrDamaged means that what was read is not what was written.
	ErrDamaged = errors.New("the data file is damaged")
)

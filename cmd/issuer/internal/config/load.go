package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
)

// maxSize bounds the configuration file, and every file that a variable names, in bytes.
const maxSize = 1 << 20

// Source says where the configuration comes from.
type Source struct {
	// Path is the file. Empty means that there is none.
	Path string
	// Optional allows the file to be missing.
	Optional bool
	// Environ is the environment, in the form of [os.Environ].
	Environ []string
	// ForServing also requires what `serve --dev` would create by itself: secret files
	// that can be read, and at least one service key.
	ForServing bool
	// DataProblem returns why the data of a store could not be used, and the key that leads to it.
	// Nil: it is not looked at.
	DataProblem func(Store) (key string, err error)
}

// Load reads the configuration and checks it. The error is [Faults], unless the file could
// not be read.
func Load(src Source) (*Config, error) {
	r := newReport()
	text, err := src.read()
	if err != nil {
		return nil, err
	}
	file := decodeFile(r, src.Path, text)
	unreadable := r.broken[""]
	environ := decodeEnvironment(r, src.Environ)
	c := Default()
	assign(reflect.ValueOf(c).Elem(), "", file)
	assign(reflect.ValueOf(c).Elem(), "", environ)
	// Checking an unreadable file would report the keys that it sets as missing.
	if !unreadable {
		check(c, r, src)
	}
	if len(r.faults) > 0 {
		r.faults.sort()
		return nil, r.faults
	}
	return c, nil
}

// read returns the text of the file, nil when it may be missing and is.
func (src Source) read() ([]byte, error) {
	if src.Path == "" {
		return nil, nil
	}
	f, err := os.Open(src.Path)
	if errors.Is(err, fs.ErrNotExist) && src.Optional {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("reading the configuration: %s is larger than %d bytes", src.Path, maxSize)
	}
	return text, nil
}

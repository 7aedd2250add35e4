package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// maxSize bounds the file, and a file that a variable names.
const maxSize = 1 << 20

// Source says where the settings come from.
type Source struct {
	// Path is the file. Empty: none.
	Path string
	// Optional: a file that is not there is no fault.
	Optional bool
	// Environ is the environment, as os.Environ gives it.
	Environ []string
	// Prepared also asks for what `serve --dev` would make by itself: secret files
	// that can be read and at least one service key.
	Prepared bool
}

// Load reads the settings and checks them. Any error is [Faults], except one of
// reading the file.
func Load(src Source) (*Config, error) {
	r := newReport()
	text, err := src.read()
	if err != nil {
		return nil, err
	}
	k := koanf.New(".")
	defaults := map[string]any{}
	flatten(reflect.ValueOf(Default()).Elem(), "", defaults)
	environ := newEnvironment(r)
	file := decodeFile(r, src.Path, text)
	unread := r.broken[""]
	for _, layer := range []koanf.Provider{
		confmap.Provider(defaults, "."),
		confmap.Provider(file, "."),
		env.Provider(".", env.Opt{
			Prefix: prefix, TransformFunc: environ.variable,
			EnvironFunc: func() []string { return src.Environ },
		}),
	} {
		if err := k.Load(layer, nil); err != nil {
			return nil, fmt.Errorf("merging the configuration: %w", err)
		}
	}
	c := &Config{}
	if err := k.Unmarshal("", c); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if !unread { // or every key that the file sets would be called missing
		check(c, r, src.Prepared)
	}
	if len(r.faults) > 0 {
		r.faults.sort()
		return nil, r.faults
	}
	return c, nil
}

// read reads the file; no text when there is none and that is allowed.
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

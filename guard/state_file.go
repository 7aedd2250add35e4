package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"issuer.example/jwt"
	"issuer.example/revocation"
)

// stateVersion is the version of the form of a state file.
const stateVersion = 1

// errState means that a state file is not used.
var errState = errors.New("guard: unusable state file")

// save writes the file if something has changed, and returns its size. It is not called
// twice at a time.
func (k *stateKeeper) save() int {
	s, dirty := k.take()
	if !dirty {
		return 0
	}
	size, err := replaceState(k.path, s)
	if err != nil && !k.failing {
		k.logger.Warn("keeping the keys and revocations for the next start", "file", k.path, "error", err)
	}
	k.failing = err != nil
	return size
}

// take returns what is to be written.
func (k *stateKeeper) take() (s state, dirty bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, dirty = k.state, k.dirty
	s.Messages = slices.Clone(s.Messages)
	k.dirty = false
	return s, dirty
}

// replaceState writes a file, and removes it if there is nothing that the next start may use.
func replaceState(path string, s state) (size int, err error) {
	if s.Keys == "" || s.Snapshot == "" {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		return 0, nil
	}
	text, err := json.Marshal(s)
	switch {
	case err != nil:
		return 0, err
	case len(text) > maxState:
		return 0, fmt.Errorf("%w: it would have %d bytes", errState, len(text))
	}
	return len(text), writeState(path, text)
}

// writeState replaces a file: after a crash there is the old one or the new one.
func writeState(path string, text []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// load applies what the file holds. A file that cannot be used counts as none.
func (k *stateKeeper) load(f *follower) {
	if k.path == "" {
		return
	}
	s, err := readState(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = k.apply(f, s)
	}
	if err != nil {
		k.logger.Warn("the state file is not used", "file", k.path, "error", err)
		return
	}
	seq, confirmed := f.revocations.position()
	k.logger.Info("resuming from the state file", "file", k.path, "seq", seq, "confirmed_at", confirmed)
}

func readState(path string) (*state, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0) //nolint:gosec // the path is configured
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is not a regular file", errState)
	case writableByOthers(info):
		return nil, fmt.Errorf("%w: another user may have written it (mode %#o)", errState, info.Mode().Perm())
	case info.Size() > maxState:
		return nil, fmt.Errorf("%w: it has more than %d bytes", errState, maxState)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxState))
	if err != nil {
		return nil, err
	}
	if err := jwt.CheckJSON(text, 4); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	s := new(state)
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	return s, nil
}

// apply verifies what a file holds and puts it into use. Nothing is used of a file whose
// keys or snapshot are not good; of the messages after it, all before the first that is not
// good.
func (k *stateKeeper) apply(f *follower, s *state) error {
	now := k.now()
	age := now.Sub(time.Unix(s.KeysAt, 0))
	switch {
	case s.Version != stateVersion || s.Issuer != k.state.Issuer:
		return fmt.Errorf("%w: it is of another version or issuer", errState)
	case age > maxStateAge || age < -feedSkew:
		return fmt.Errorf("%w: its keys are %s old", errState, age.Truncate(time.Second))
	}
	set, err := parseKeys([]byte(s.Keys))
	if err != nil {
		return err
	}
	payload, err := jwt.VerifyDocument([]byte(s.Snapshot), set, revocation.TypeSnapshot, revocation.MaxSnapshotSize)
	if err != nil {
		return fmt.Errorf("reading the revocations: %w", err)
	}
	snapshot, err := revocation.DecodeSnapshot(payload)
	if err != nil {
		return err
	}
	if err := f.revocations.restore(snapshot, now); err != nil {
		return err
	}
	f.keys.replace(set)
	k.state = state{Version: s.Version, Issuer: s.Issuer, KeysAt: s.KeysAt, Keys: s.Keys, Snapshot: s.Snapshot}
	for i, m := range s.Messages {
		seq, err := restoreMessage(f, set, m, now)
		if err != nil {
			k.logger.Warn("the end of the state file is not used", "file", k.path, "message", i, "error", err)
			return nil
		}
		m.seq = seq
		k.state.Messages = append(k.state.Messages, m)
		k.bytes += len(m.Event)
	}
	return nil
}

// restoreMessage applies an event or an alive of a state file, and returns the number of the
// event.
func restoreMessage(f *follower, keys jwt.Keys, m stateMessage, now time.Time) (uint64, error) {
	if m.Alive != "" {
		payload, err := jwt.VerifyDocument([]byte(m.Alive), keys, revocation.TypeAlive, jwt.MaxTokenSize)
		if err != nil {
			return 0, err
		}
		alive, err := revocation.DecodeAlive(payload)
		if err != nil {
			return 0, err
		}
		return 0, f.revocations.restoreAlive(alive, now)
	}
	payload, err := jwt.VerifyDocument([]byte(m.Event), keys, revocation.TypeEvent, jwt.MaxTokenSize)
	if err != nil {
		return 0, err
	}
	event, err := revocation.DecodeEvent(payload)
	if err != nil {
		return 0, err
	}
	seq, _ := f.revocations.position()
	_, err = f.revocations.applyEvent(event, seq)
	return event.Entry.Seq, err
}

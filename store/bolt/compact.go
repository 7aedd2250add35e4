package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"issuer.example/sid"
	"issuer.example/store/bolt/internal/file"
)

// copyAtOnce is how many keys are copied in one transaction.
const copyAtOnce = 1 << 16

// Compact rewrites a data file without its free pages, which is the only way that it ever
// shrinks. It is [ErrLocked] while another process has the file open. The file is replaced once its
// copy is complete and durable; until then, and if anything fails, it stays as it is. (One of
// an older schema is upgraded before.)
func Compact(ctx context.Context, path string) error {
	if err := compact(ctx, path); err != nil {
		return fmt.Errorf("compacting store %s: %w", path, err)
	}
	return nil
}

func compact(ctx context.Context, path string) (err error) {
	// What a link leads to is replaced, not the link.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	f, err := file.OpenLocked(ctx, path, file.Options{LockWait: time.Second, Logger: log})
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	db := &DB{cfg: Config{Path: path, Logger: log}}
	src, err := db.adopt(ctx, f, true, true)
	if err != nil {
		return err
	}
	// The lock is held until the copy is in place.
	defer func() { err = errors.Join(err, src.abandon()) }()
	return file.Replace(path+".compact", path, func(dst *bbolt.DB) error {
		err := src.view(func(v *view) error { return v.copyTo(ctx, dst) })
		return errors.Join(err, keepOwner(dst.Path(), info))
	})
}

// keepOwner gives a file the owner of another one: it is not always the owner who compacts.
func keepOwner(path string, of os.FileInfo) error {
	stat, ok := of.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(stat.Uid), int(stat.Gid))
}

// copyTo copies all that the file has. States are copied as the journals have them, which
// leaves nothing for the journals: in the copy they are empty.
func (v *view) copyTo(ctx context.Context, dst *bbolt.DB) error {
	for b := range buckets {
		c := bucketCopy{from: v.bucket(b).Cursor(), name: b}
		switch b {
		case journalA, journalB:
			c.from = nil
		case states:
			c.value = func(key, raw []byte) []byte {
				if len(key) != len(sid.ID{}) {
					return raw
				}
				return v.state(sid.ID(key))
			}
		default:
		}
		if err := c.run(ctx, dst); err != nil {
			return fmt.Errorf("copying %s: %w", b.name(), err)
		}
	}
	return nil
}

// bucketCopy copies one bucket.
type bucketCopy struct {
	name  bucket
	from  *bbolt.Cursor                  // nil: the copy is empty
	value func(key, value []byte) []byte // what is copied; nil: the value
}

// run copies the bucket a part at a time: a transaction is held in memory.
func (c *bucketCopy) run(ctx context.Context, dst *bbolt.DB) error {
	var key, value []byte
	if c.from != nil {
		key, value = c.from.First()
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := dst.Update(func(tx *bbolt.Tx) error {
			into, err := tx.CreateBucketIfNotExists(c.name.name())
			if err != nil {
				return err
			}
			into.FillPercent = 1
			for n := 0; key != nil && n < copyAtOnce; n++ {
				if c.value != nil {
					value = c.value(key, value)
				}
				if err := into.Put(key, value); err != nil {
					return err
				}
				key, value = c.from.Next()
			}
			return nil
		})
		if err != nil || key == nil {
			return err
		}
	}
}

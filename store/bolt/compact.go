package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"go.etcd.io/bbolt"

	"issuer.example/store/bolt/internal/file"
)

// copyAtOnce is how many keys are copied in one transaction.
const copyAtOnce = 1 << 16

// Compact rewrites a data file without its free pages, which is the only way that it ever
// shrinks. Nobody may have it open, or it is [ErrLocked]. The file is replaced once its
// copy is complete and durable; until then, and if anything fails, it stays as it is.
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
	f, err := file.OpenLocked(ctx, path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	db := &DB{cfg: Config{Path: path, Logger: slog.New(slog.DiscardHandler)}}
	src, err := db.adopt(ctx, f, true, true)
	if err != nil {
		return err
	}
	// The lock is held until the copy is in place.
	defer func() { err = errors.Join(err, src.abandon()) }()
	return file.Replace(path+".compact", path, func(dst *bbolt.DB) error {
		err := src.bolt.View(func(tx *bbolt.Tx) error { return copyAll(ctx, dst, tx) })
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

func copyAll(ctx context.Context, dst *bbolt.DB, src *bbolt.Tx) error {
	for b := range buckets {
		if err := copyBucket(ctx, dst, src.Bucket(b.name()), b); err != nil {
			return fmt.Errorf("copying %s: %w", b.name(), err)
		}
	}
	return nil
}

// copyBucket copies a bucket, a part at a time: a transaction is held in memory.
func copyBucket(ctx context.Context, dst *bbolt.DB, src *bbolt.Bucket, name bucket) error {
	cursor := src.Cursor()
	key, value := cursor.First()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := dst.Update(func(tx *bbolt.Tx) error {
			into, err := tx.CreateBucketIfNotExists(name.name())
			if err != nil {
				return err
			}
			into.FillPercent = 1
			if err := into.SetSequence(src.Sequence()); err != nil {
				return err
			}
			for n := 0; key != nil && n < copyAtOnce; n++ {
				if err := into.Put(key, value); err != nil {
					return err
				}
				key, value = cursor.Next()
			}
			return nil
		})
		if err != nil || key == nil {
			return err
		}
	}
}

package file

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// What a bbolt file begins with: two pages that each hold a header, of which the newer
// one that is whole counts. It is read here before bbolt maps the file, because a file
// that is shorter than its header says kills the process that maps it.
const (
	bboltMagic   = 0xED0CDAED
	bboltVersion = 2
	pageHead     = 16 // of every page: id (8) | flags (2) | count (2) | overflow (4)
	headerLen    = 64 // magic (4) | version (4) | page size (4) | flags (4) | root (16) | freelist (8) | pages (8) | txid (8) | checksum (8)
	noFreelist   = ^uint64(0)
	minPageSize  = 1 << 10
	maxPageSize  = 1 << 16
)

// Header is what the header that counts says.
type Header struct {
	pageSize int64
	root     uint64 // page of the root bucket
	freelist uint64 // page of the list of free pages, or noFreelist
	Pages    uint64 // how many pages there are, free ones included
	txid     uint64
}

// Size is how long the file must be.
func (h Header) Size() int64 { return int64(h.Pages) * h.pageSize } //nolint:gosec // Inspect bounds it

// ReadHeader returns the newer header that is whole; ok is false if neither is.
func ReadHeader(f io.ReaderAt) (newest Header, ok bool) {
	if first, whole := headerAt(f, 0); whole {
		newest, ok = first, true
	}
	for at := int64(minPageSize); at <= maxPageSize; at *= 2 {
		second, whole := headerAt(f, at)
		if whole && second.pageSize == at && (!ok || second.txid > newest.txid) {
			newest, ok = second, true
		}
	}
	return newest, ok
}

func headerAt(f io.ReaderAt, at int64) (h Header, ok bool) {
	var b [headerLen]byte
	if _, err := f.ReadAt(b[:], at+pageHead); err != nil {
		return h, false
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:headerLen-8]) // never fails
	order := binary.NativeEndian
	h = Header{
		pageSize: int64(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		Pages:    order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	return h, order.Uint32(b[0:]) == bboltMagic && order.Uint32(b[4:]) == bboltVersion &&
		order.Uint64(b[56:]) == sum.Sum64() &&
		h.pageSize >= minPageSize && h.pageSize <= maxPageSize && h.pageSize&(h.pageSize-1) == 0
}

// RewriteHeaders makes durable what this process sees in the file. A process that died, or whose
// fsync failed, can have left a header in the system's cache that the disk never got, and
// the system does not write it again by itself. The pages that such a header leads to are
// on disk, because they were synced before it was written; but the next commit would
// write over pages that the older header, the one on disk, still leads to. So the headers
// are written once more, as they are.
func RewriteHeaders(f *os.File, h Header) error {
	headers := make([]byte, 2*h.pageSize)
	if _, err := f.ReadAt(headers, 0); err != nil {
		return err
	}
	if _, err := f.WriteAt(headers, 0); err != nil {
		return err
	}
	return f.Sync()
}

// HasFreelist reports whether the list of free pages is in the file. Without it, bbolt
// searches the whole file for them.
func (h Header) HasFreelist() bool { return h.freelist != noFreelist }

// Inspect reads the header, and refuses a file that bbolt must not map.
func Inspect(f *os.File) (Header, error) {
	info, err := f.Stat()
	if err != nil {
		return Header{}, err
	}
	if info.Size() == 0 {
		return Header{}, ErrEmpty
	}
	h, ok := ReadHeader(f)
	if !ok {
		return Header{}, ErrNotBolt
	}
	if h.Pages > 1<<40 || info.Size() < h.Size() {
		return Header{}, fmt.Errorf("%w: it has %d bytes, and its header says %d pages of %d",
			ErrTruncated, info.Size(), h.Pages, h.pageSize)
	}
	return h, nil
}

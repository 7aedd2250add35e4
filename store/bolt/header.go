package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"io"
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

// header is what one of them says.
type header struct {
	pageSize int64
	root     uint64 // page of the root bucket
	freelist uint64 // page of the list of free pages, or noFreelist
	pages    uint64 // how many pages there are, free ones included
	txid     uint64
}

// readHeader returns the newer header that is whole.
func readHeader(f io.ReaderAt) (newest header, ok bool) {
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

func headerAt(f io.ReaderAt, at int64) (h header, ok bool) {
	var b [headerLen]byte
	if _, err := f.ReadAt(b[:], at+pageHead); err != nil {
		return h, false
	}
	sum := fnv.New64a()
	sum.Write(b[:headerLen-8])
	order := binary.NativeEndian
	h = header{
		pageSize: int64(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		pages:    order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	return h, order.Uint32(b[0:]) == bboltMagic && order.Uint32(b[4:]) == bboltVersion &&
		order.Uint64(b[56:]) == sum.Sum64() &&
		h.pageSize >= minPageSize && h.pageSize <= maxPageSize && h.pageSize&(h.pageSize-1) == 0
}

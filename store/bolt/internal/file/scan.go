package file

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// Kinds of pages and of what is on them, as bbolt writes them.
const (
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketOnLeaf = 0x01
	elementLen   = 16 // branch: pos (4) | key size (4) | page (8). leaf: flags (4) | pos (4) | key size (4) | value size (4).
	bucketHead   = 16 // root page (8) | sequence (8)
)

// scan reads the whole file and follows every page from the root. bbolt trusts what it
// reads: a reference that leads outside the file, or a page that the disk cannot
// deliver, ends the process. It is also quick, because it reads in order first.
type scan struct {
	f      io.ReaderAt
	header Header
	seen   []bool
	page   []byte
}

// Verify reads the whole file, and refuses it if bbolt cannot walk it safely.
func Verify(ctx context.Context, f io.ReaderAt, h Header) error {
	if err := readThrough(ctx, f, int64(h.Pages)*h.pageSize); err != nil { //nolint:gosec // fits: the file is that long
		return err
	}
	s := &scan{f: f, header: h, seen: make([]bool, h.Pages), page: make([]byte, h.pageSize)}
	return s.walk(ctx, reference{page: h.root}, 0)
}

// readThrough reads the first size bytes, which brings them into memory in order.
func readThrough(ctx context.Context, f io.ReaderAt, size int64) error {
	r := io.NewSectionReader(f, 0, size)
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch _, err := r.Read(buf); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// maxDepth is far above that of any tree that fits a disk.
const maxDepth = 64

// reference leads to a page whose keys are from one on and below another; nil is no bound.
type reference struct {
	page      uint64
	from, end []byte
}

// walk checks a page and all that it leads to.
func (s *scan) walk(ctx context.Context, to reference, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("%w: page %d is too deep", ErrDamaged, to.page)
	}
	page, err := s.read(to.page)
	if err != nil {
		return err
	}
	next, err := references(page, to)
	if err != nil {
		return fmt.Errorf("page %d: %w", to.page, err)
	}
	for _, child := range next {
		if err := s.walk(ctx, child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// read reads a page with its overflow, which nothing else may lead to. It is valid until
// the next read.
func (s *scan) read(id uint64) ([]byte, error) {
	if id < 2 || id >= s.header.Pages {
		return nil, fmt.Errorf("%w: a reference to page %d of %d", ErrDamaged, id, s.header.Pages)
	}
	at := int64(id) * s.header.pageSize //nolint:gosec // within the file
	page := s.page[:s.header.pageSize]
	if _, err := s.f.ReadAt(page, at); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", id, err)
	}
	if own := binary.NativeEndian.Uint64(page); own != id {
		return nil, fmt.Errorf("%w: page %d says that it is page %d", ErrDamaged, id, own)
	}
	overflow := uint64(binary.NativeEndian.Uint32(page[12:]))
	if overflow >= s.header.Pages-id {
		return nil, fmt.Errorf("%w: page %d runs over the end", ErrDamaged, id)
	}
	for i := id; i <= id+overflow; i++ {
		if s.seen[i] {
			return nil, fmt.Errorf("%w: page %d is in use twice", ErrDamaged, i)
		}
		s.seen[i] = true
	}
	if overflow == 0 {
		return page, nil
	}
	size := int64(overflow+1) * s.header.pageSize //nolint:gosec // within the file
	if int64(cap(s.page)) < size {
		s.page = make([]byte, size)
	}
	page = s.page[:size]
	if _, err := s.f.ReadAt(page, at); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", id, err)
	}
	return page, nil
}

// references checks the elements of a page that is within bounds, and returns the pages
// that they lead to.
func references(page []byte, bounds reference) (next []reference, err error) {
	var (
		order = binary.NativeEndian
		flags = order.Uint16(page[8:])
		count = int(order.Uint16(page[10:]))
		last  []byte
	)
	if flags != branchPage && flags != leafPage {
		return nil, fmt.Errorf("%w: unknown kind %#x", ErrDamaged, flags)
	}
	if count == 0 && flags == branchPage || pageHead+count*elementLen > len(page) {
		return nil, fmt.Errorf("%w: %d elements", ErrDamaged, count)
	}
	for i := range count {
		at := pageHead + i*elementLen
		elem, err := readElement(page[at:], flags == leafPage)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		if i > 0 && bytes.Compare(last, elem.key) >= 0 ||
			i == 0 && bytes.Compare(bounds.from, elem.key) > 0 ||
			bounds.end != nil && bytes.Compare(elem.key, bounds.end) >= 0 {
			return nil, fmt.Errorf("%w: element %d is out of order", ErrDamaged, i)
		}
		last = elem.key
		next = append(next, elem.next...)
	}
	if flags == branchPage {
		for i := range next[1:] {
			next[i].end = next[i+1].from
		}
		next[len(next)-1].end = bounds.end
	}
	return next, nil
}

// element is one entry of a page.
type element struct {
	key  []byte
	next []reference
}

// readElement reads the element that b begins with: its key and value lie further on.
func readElement(b []byte, leaf bool) (element, error) {
	order := binary.NativeEndian
	head := [4]uint32{order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:]), order.Uint32(b[12:])}
	pos, ksize, vsize := uint64(head[0]), uint64(head[1]), uint64(0)
	if leaf {
		pos, ksize, vsize = uint64(head[1]), uint64(head[2]), uint64(head[3])
	}
	if ksize == 0 || pos < elementLen || pos+ksize+vsize > uint64(len(b)) {
		return element{}, fmt.Errorf("%w: it lies outside the page", ErrDamaged)
	}
	e := element{key: b[pos : pos+ksize]}
	switch {
	case !leaf:
		e.next = []reference{{page: order.Uint64(b[8:]), from: bytes.Clone(e.key)}}
	case head[0] == bucketOnLeaf:
		return e.bucket(b[pos+ksize : pos+ksize+vsize])
	case head[0] != 0:
		return element{}, fmt.Errorf("%w: unknown flags %#x", ErrDamaged, head[0])
	}
	return e, nil
}

// bucket follows a bucket, whose only page can lie in the value itself.
func (e element) bucket(value []byte) (element, error) {
	if len(value) < bucketHead {
		return element{}, fmt.Errorf("%w: a bucket of %d bytes", ErrDamaged, len(value))
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		e.next = []reference{{page: root}}
		return e, nil
	}
	inline := value[bucketHead:]
	if len(inline) < pageHead {
		return element{}, fmt.Errorf("%w: an inline bucket of %d bytes", ErrDamaged, len(value))
	}
	next, err := references(inline, reference{})
	if err != nil || len(next) > 0 {
		return element{}, fmt.Errorf("inline bucket: %w", cmp.Or(err, ErrDamaged))
	}
	return e, nil
}

// VerifyFreelist refuses a list of free pages that bbolt cannot use: each must be a page that
// exists, named once.
func VerifyFreelist(f io.ReaderAt, h Header) error {
	s := &scan{f: f, header: h, seen: make([]bool, h.Pages), page: make([]byte, h.pageSize)}
	page, err := s.read(h.freelist)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	ids, count := page[pageHead:], uint64(order.Uint16(page[10:]))
	if count == 0xffff && len(ids) >= 8 { // too long to be counted there
		count, ids = order.Uint64(ids), ids[8:]
	}
	if order.Uint16(page[8:]) != freelistPage || count > uint64(len(ids)/8) {
		return fmt.Errorf("%w: page %d is no list of free pages", ErrDamaged, h.freelist)
	}
	for ; count > 0; count, ids = count-1, ids[8:] {
		id := order.Uint64(ids)
		if id < 2 || id >= h.Pages || s.seen[id] {
			return fmt.Errorf("%w: page %d is listed as free", ErrDamaged, id)
		}
		s.seen[id] = true
	}
	return nil
}

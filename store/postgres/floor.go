package postgres

import (
	"sync"

	"issuer.example/sid"
)

// floor is the newest identifier that a mark over a client or everything covers, as far as this issuer knows. A session
// that is given a greater one need not be given another one because its issuer's clock is behind.
type floor struct {
	mu sync.Mutex
	id sid.ID
}

func (f *floor) get() sid.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.id
}

func (f *floor) raise(id sid.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.id = greatest(f.id, id)
}

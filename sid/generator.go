package sid

import (
	"sync"
	"time"
)

// Generator makes identifiers that grow strictly within one process, whatever the clock
// does: see [Next]. It is safe for concurrent use. A store that several issuers share gives
// its identifiers itself.
type Generator struct {
	now func() time.Time

	mu   sync.Mutex
	last ID // the newest identifier made or observed
}

// NewGenerator returns a generator that reads the time from now; nil means time.Now.
func NewGenerator(now func() time.Time) *Generator {
	if now == nil {
		now = time.Now
	}
	return &Generator{now: now}
}

// Next returns an identifier that is greater than every one that Next returned
// before and every one given to [Generator.Observe].
func (g *Generator) Next() ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = Next(g.last, g.now())
	return g.last
}

// Observe makes every later [Generator.Next] greater than id.
func (g *Generator) Observe(id ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if id.Compare(g.last) > 0 {
		g.last = id
	}
}

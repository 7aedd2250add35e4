package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"issuer.example/cmd/issuer/internal/logging"
	"issuer.example/store/move"
)

// newProgress shows progress as a bar on a terminal, and as a line for each tenth elsewhere.
func newProgress(w io.Writer) move.Progress {
	if f, ok := w.(*os.File); ok && logging.IsTerminal(f) {
		return &barProgress{w: w}
	}
	return &lineProgress{w: w}
}

type barProgress struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

// Begin implements [move.Progress].
func (p *barProgress) Begin(step string, items int64) {
	p.bar = progressbar.NewOptions64(items,
		progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(fmt.Sprintf("%-9s", step)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(p.w) }),
	)
}

// Done implements [move.Progress].
func (p *barProgress) Done(items int64) { _ = p.bar.Add64(items) } // a bar that cannot be drawn stops nothing

type lineProgress struct {
	w           io.Writer
	step        string
	done, items int64
}

// Begin implements [move.Progress].
func (p *lineProgress) Begin(step string, items int64) {
	p.step, p.done, p.items = step, 0, items
}

// Done implements [move.Progress].
func (p *lineProgress) Done(items int64) {
	before := p.tenth()
	p.done += items
	if now := p.tenth(); now != before {
		fmt.Fprintf(p.w, "%s: %d of %d (%d %%)\n", p.step, p.done, p.items, 10*now)
	}
}

// tenth is how many tenths of the step are done.
func (p *lineProgress) tenth() int64 { return 10 * p.done / max(p.items, 1) }

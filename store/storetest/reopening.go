package storetest

import (
	"context"

	"issuer.example/session"
)

// reopening is the store of one issuer, which stays the same when the store is opened again.
type reopening struct {
	fixture *fixture
	issuer  int
}

var _ session.Store = (*reopening)(nil)

func (r *reopening) store() session.Store { return r.fixture.issuers[r.issuer] }

// Load implements [session.Store].
func (r *reopening) Load(ctx context.Context, ref session.Ref) (session.Snapshot, error) {
	return r.store().Load(ctx, ref)
}

// List implements [session.Store].
func (r *reopening) List(ctx context.Context, q session.Query) (session.Page, error) {
	return r.store().List(ctx, q)
}

// Create implements [session.Store].
func (r *reopening) Create(ctx context.Context, c session.CreateRequest) (session.Created, error) {
	return r.store().Create(ctx, c)
}

// Change implements [session.Store].
func (r *reopening) Change(ctx context.Context, at session.Target, decide session.Decision) (session.Snapshot, error) {
	return r.store().Change(ctx, at, decide)
}

// Mark implements [session.Store].
func (r *reopening) Mark(ctx context.Context, m session.MarkRequest) (session.Marked, error) {
	return r.store().Mark(ctx, m)
}

// Sweep implements [session.Store].
func (r *reopening) Sweep(ctx context.Context, s session.SweepRequest) (session.Swept, error) {
	return r.store().Sweep(ctx, s)
}

package session

import (
	"testing"
	"time"
)

func TestRedeemTable(t *testing.T) {
	const w = 10 * time.Second
	var (
		T      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		r      = Branch{1}
		other  = Branch{2}
		state  = State{Generation: 7, Branch: r, KeyID: 3, RedeemedAt: T, LastSeenAt: T}
		policy = RefreshPolicy{Window: w}
	)
	tests := []struct {
		name       string
		policy     RefreshPolicy
		generation uint32
		branch     Branch
		after      time.Duration
		want       Outcome
		answer     succession
	}{
		{"first use", policy, 8, other, 5 * time.Minute, OutcomeAdvanced, child},
		{"first use, at once", policy, 8, other, 0, OutcomeAdvanced, child},
		{"newer than the store", policy, 12, other, 0, OutcomeRestored, child},
		{"same token, at once", policy, 7, r, 0, OutcomeRepeated, child},
		{"same token, just within the window", policy, 7, r, w - 1, OutcomeRepeated, child},
		{"same token, at the window's end", policy, 7, r, w, OutcomeLateRetry, strayed},
		{"same token, an hour later", policy, 7, r, time.Hour, OutcomeLateRetry, strayed},
		{"same token, late, not allowed", RefreshPolicy{Window: w, LateRetry: LateRetryRevoke}, 7, r, w, OutcomeReused, none},
		{"same token, within, late not allowed", RefreshPolicy{Window: w, LateRetry: LateRetryRevoke}, 7, r, 0, OutcomeRepeated, child},
		{"same token, no window", RefreshPolicy{}, 7, r, 0, OutcomeLateRetry, strayed},
		{"sibling within", policy, 7, other, w - 1, OutcomeSibling, child},
		{"sibling after", policy, 7, other, w, OutcomeReused, none},
		{"sibling, no window", RefreshPolicy{}, 7, other, 0, OutcomeReused, none},
		{"one behind, within", policy, 6, other, w - 1, OutcomeBehind, child},
		{"one behind, after", policy, 6, other, w, OutcomeReused, none},
		{"one behind, no window", RefreshPolicy{}, 6, other, 0, OutcomeReused, none},
		{"two behind, within", policy, 5, other, 0, OutcomeReused, none},
		{"five behind", policy, 2, r, time.Hour, OutcomeReused, none},
		{"within update_age", RefreshPolicy{Window: w, UpdateAge: time.Hour}, 8, other, time.Hour - 1, OutcomeUnchanged, same},
		{"after update_age", RefreshPolicy{Window: w, UpdateAge: time.Hour}, 8, other, time.Hour, OutcomeAdvanced, child},
		{"newer than the store, within update_age", RefreshPolicy{UpdateAge: time.Hour}, 9, other, 0, OutcomeRestored, child},
		{"a copy, within update_age", RefreshPolicy{UpdateAge: time.Hour}, 6, other, time.Minute, OutcomeReused, none},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			presented := token{keyID: 9, generation: tt.generation, branch: tt.branch}
			now := T.Add(tt.after)
			got := tt.policy.redeem(state, presented, now)
			if got.outcome != tt.want || got.answer != tt.answer {
				t.Fatalf("got %s answered with %d, want %s with %d", got.outcome, got.answer, tt.want, tt.answer)
			}
			want := state
			if tt.want == OutcomeAdvanced || tt.want == OutcomeRestored {
				want = State{Generation: tt.generation, Branch: tt.branch, KeyID: 9, RedeemedAt: now, LastSeenAt: now}
			}
			if got.next != want {
				t.Errorf("the state becomes %+v, want %+v", got.next, want)
			}
		})
	}
}

// A new session has redeemed nothing: only its first token is good.
func TestRedeemNewSession(t *testing.T) {
	born := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st := State{RedeemedAt: born, LastSeenAt: born}
	policy := RefreshPolicy{Window: 10 * time.Second}
	if got := policy.redeem(st, token{generation: 1}, born); got.outcome != OutcomeAdvanced {
		t.Errorf("the first token is %s", got.outcome)
	}
	policy.UpdateAge = time.Minute
	if got := policy.redeem(st, token{generation: 1}, born.Add(time.Second)); got.outcome != OutcomeUnchanged {
		t.Errorf("the first token, within update_age of the sign-in, is %s", got.outcome)
	}
}

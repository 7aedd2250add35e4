package refresh

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
		state  = State{Generation: 7, Branch: r, KeyID: 3, RedeemedAt: T}
		policy = Policy{Window: w}
	)
	tests := []struct {
		name       string
		policy     Policy
		generation uint32
		branch     Branch
		after      time.Duration
		want       Outcome
		answer     answer
	}{
		{"first use", policy, 8, other, 5 * time.Minute, Advanced, answerChild},
		{"first use, at once", policy, 8, other, 0, Advanced, answerChild},
		{"newer than the store", policy, 12, other, 0, Restored, answerChild},
		{"same token, at once", policy, 7, r, 0, Repeated, answerChild},
		{"same token, just within the window", policy, 7, r, w - 1, Repeated, answerChild},
		{"same token, at the window's end", policy, 7, r, w, Late, answerStray},
		{"same token, an hour later", policy, 7, r, time.Hour, Late, answerStray},
		{"same token, late, not allowed", Policy{Window: w, LateRetry: LateRetryRevoke}, 7, r, w, Reused, answerNone},
		{"same token, within, late not allowed", Policy{Window: w, LateRetry: LateRetryRevoke}, 7, r, 0, Repeated, answerChild},
		{"same token, no window", Policy{}, 7, r, 0, Late, answerStray},
		{"sibling within", policy, 7, other, w - 1, Sibling, answerChild},
		{"sibling after", policy, 7, other, w, Reused, answerNone},
		{"sibling, no window", Policy{}, 7, other, 0, Reused, answerNone},
		{"one behind, within", policy, 6, other, w - 1, Behind, answerChild},
		{"one behind, after", policy, 6, other, w, Reused, answerNone},
		{"one behind, no window", Policy{}, 6, other, 0, Reused, answerNone},
		{"two behind, within", policy, 5, other, 0, Reused, answerNone},
		{"five behind", policy, 2, r, time.Hour, Reused, answerNone},
		{"within update_age", Policy{Window: w, UpdateAge: time.Hour}, 8, other, time.Hour - 1, Unchanged, answerSame},
		{"after update_age", Policy{Window: w, UpdateAge: time.Hour}, 8, other, time.Hour, Advanced, answerChild},
		{"newer than the store, within update_age", Policy{UpdateAge: time.Hour}, 9, other, 0, Restored, answerChild},
		{"a copy, within update_age", Policy{UpdateAge: time.Hour}, 6, other, time.Minute, Reused, answerNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			presented := Token{KeyID: 9, Generation: tt.generation, Branch: tt.branch}
			now := T.Add(tt.after)
			got := tt.policy.Redeem(state, presented, now)
			if got.Outcome != tt.want || got.answer != tt.answer {
				t.Fatalf("got %s answered with %d, want %s with %d", got.Outcome, got.answer, tt.want, tt.answer)
			}
			want := state
			if tt.want == Advanced || tt.want == Restored {
				want = State{Generation: tt.generation, Branch: tt.branch, KeyID: 9, RedeemedAt: now}
			}
			if got.Next != want {
				t.Errorf("the state becomes %+v, want %+v", got.Next, want)
			}
			if advances := want != state; got.Advances() != advances {
				t.Errorf("it advances: %t, want %t", got.Advances(), advances)
			}
			if newest := got.Advances() || tt.want == Unchanged; got.Newest() != newest {
				t.Errorf("the token is the newest: %t, want %t", got.Newest(), newest)
			}
		})
	}
}

// A new session has redeemed nothing: only its first token is good.
func TestRedeemNewSession(t *testing.T) {
	born := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st := State{RedeemedAt: born}
	policy := Policy{Window: 10 * time.Second}
	if got := policy.Redeem(st, Token{Generation: 1}, born); got.Outcome != Advanced {
		t.Errorf("the first token is %s", got.Outcome)
	}
	policy.UpdateAge = time.Minute
	if got := policy.Redeem(st, Token{Generation: 1}, born.Add(time.Second)); got.Outcome != Unchanged {
		t.Errorf("the first token, within update_age of the sign-in, is %s", got.Outcome)
	}
}

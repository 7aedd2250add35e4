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
			got := tt.policy.Redeem(state, Use{Token: presented, At: now})
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
	if got := policy.Redeem(st, Use{Token: Token{Generation: 1}, At: born}); got.Outcome != Advanced {
		t.Errorf("the first token is %s", got.Outcome)
	}
	policy.UpdateAge = time.Minute
	if got := policy.Redeem(st, Use{Token: Token{Generation: 1}, At: born.Add(time.Second)}); got.Outcome != Unchanged {
		t.Errorf("the first token, within update_age of the sign-in, is %s", got.Outcome)
	}
}

// From elsewhere, within the window: a repeat is answered with a stray and changes nothing; another
// branch is answered with one and counted, and ends the session if it happened in one of the two
// generations before.
func TestRedeemElsewhere(t *testing.T) {
	const w = 10 * time.Second
	var (
		T      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		r      = Branch{1}
		other  = Branch{2}
		policy = Policy{Window: w}
		revoke = Policy{Window: w, LateRetry: LateRetryRevoke}
	)
	tests := []struct {
		name       string
		policy     Policy
		apart      Generations
		generation uint32
		branch     Branch
		after      time.Duration
		want       Outcome
		answer     answer
		next       Generations
		parent     bool
	}{
		{"first use", policy, 7, 8, other, 0, Advanced, answerChild, 6, false},
		{"first use, nothing before", policy, 0, 8, other, 0, Advanced, answerChild, 0, false},
		{"first use, long ago", policy, 4, 8, other, 0, Advanced, answerChild, 0, false},
		{"newer than the store", policy, 7, 9, other, 0, Restored, answerChild, 4, false},
		{"much newer than the store", policy, 7, 7 + 1<<30, other, 0, Restored, answerChild, 0, false},
		{"same token", policy, 7, 7, r, w - 1, Elsewhere, answerStray, 7, false},
		{"same token, late not allowed", revoke, 7, 7, r, w - 1, Elsewhere, answerStray, 7, false},
		{"same token, after", policy, 0, 7, r, w, Late, answerStray, 0, false},
		{"same token, after, late not allowed", revoke, 0, 7, r, w, Reused, answerNone, 0, false},
		{"same token, no window", Policy{}, 0, 7, r, 0, Late, answerStray, 0, false},
		{"sibling", policy, 0, 7, other, w - 1, Apart, answerStray, 1, false},
		{"sibling again", policy, 1, 7, other, w - 1, Apart, answerStray, 1, false},
		{"sibling, as in the generation before", policy, 2, 7, other, w - 1, Reused, answerNone, 2, false},
		{"sibling, as in the one before that", policy, 4, 7, other, w - 1, Reused, answerNone, 4, false},
		{"sibling after", policy, 0, 7, other, w, Reused, answerNone, 0, false},
		{"one behind", policy, 0, 6, other, w - 1, Apart, answerStray, 1, false},
		{"one behind, as in the generation before", policy, 2, 6, other, 0, Reused, answerNone, 2, false},
		{"the parent, as in the generation before", policy, 2, 6, other, 0, Apart, answerStray, 3, true},
		{"the parent, after", policy, 0, 6, other, w, Reused, answerNone, 0, true},
		{"one behind, after", policy, 0, 6, other, w, Reused, answerNone, 0, false},
		{"two behind", policy, 0, 5, other, 0, Reused, answerNone, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := State{Generation: 7, Branch: r, KeyID: 3, RedeemedAt: T, Apart: tt.apart}
			got := tt.policy.Redeem(state, Use{
				Token: Token{KeyID: 9, Generation: tt.generation, Branch: tt.branch}, At: T.Add(tt.after), Elsewhere: true, Parent: tt.parent,
			})
			if got.Outcome != tt.want || got.answer != tt.answer || got.Next.Apart != tt.next {
				t.Errorf("got %s answered with %d and %03b, want %s with %d and %03b",
					got.Outcome, got.answer, got.Next.Apart, tt.want, tt.answer, tt.next)
			}
			if got.Next.Apart = tt.apart; !got.Advances() && got.Next != state {
				t.Errorf("the state becomes %+v", got.Next)
			}
		})
	}
}

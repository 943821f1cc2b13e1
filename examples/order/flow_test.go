package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/workflowtest"
)

func init() { out = io.Discard }

var (
	flow  = newFlow(24 * time.Hour)
	three = []Item{{"tea", 2}, {"cup", 4}, {"pot", 1}}
)

func TestAnApprovedOrderIsPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, flow)
		run, err := flow.Start(t.Context(), e.Client(), Order{"1", "ann@example.com", three})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := Approval.Send(t.Context(), run, Decision{OK: true}); err != nil {
			t.Fatal(err)
		}
		receipt, err := run.Result(t.Context())
		if want := (Receipt{"1", "paid 1750 cents by tx-1"}); receipt != want || err != nil {
			t.Errorf("Result() = %v, %v, want %v", receipt, err, want)
		}
		if n := e.Calls(Reserve); n != 3 {
			t.Errorf("%d items were reserved, want 3", n)
		}
	})
}

func TestAnOrderThatNobodyApprovesIsRejectedAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		e := workflowtest.New(t, flow)
		run, err := flow.Start(t.Context(), e.Client(), Order{"1", "ann@example.com", three})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := run.Result(t.Context())
		if want := (Receipt{"1", "not approved"}); receipt != want || err != nil {
			t.Errorf("Result() = %v, %v, want %v", receipt, err, want)
		}
		if took := time.Since(began); took < 24*time.Hour {
			t.Errorf("that took %v, want a day", took)
		}
		if n := e.Calls(Charge); n != 0 {
			t.Errorf("the card was charged %d times, want never", n)
		}
	})
}

func TestAnOrderThatCannotBeCompletedIsRefunded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, flow)
		workflowtest.Mock(e, Notify, func(context.Context, Payment) (Receipt, error) { return Receipt{}, errors.New("no mail today") })
		run, err := flow.Start(t.Context(), e.Client(), Order{"1", "ann@example.com", three})
		if err != nil {
			t.Fatal(err)
		}
		if err := Approval.Send(t.Context(), run, Decision{OK: true}); err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		if cause, ok := errors.AsType[*workflow.StepError](err); !ok || cause.Step != "notify" {
			t.Errorf("Result() = %v, want what notify says", err)
		}
		if charged, refunded := e.Calls(Charge), e.Calls(Refund); charged != 1 || refunded != 1 {
			t.Errorf("charged %d times and refunded %d times, want once each", charged, refunded)
		}
	})
}

// Wherever a worker dies, the customer has paid exactly if there is a receipt. The
// bank knows the key of a payment, so that a second try is none.
func TestAnOrderBearsACrashAnywhere(t *testing.T) {
	for name, completes := range map[string]bool{"paid": true, "refunded": false} {
		t.Run(name, func(t *testing.T) {
			workflowtest.CrashEverywhere(t, func(t *testing.T, e *workflowtest.Engine) {
				bank := make(map[string]int)
				workflowtest.Mock(e, Charge, func(ctx context.Context, q Quote) (Payment, error) {
					bank[workflow.StepKey(ctx)] = q.Cents
					return Payment{q, workflow.StepKey(ctx)}, nil
				})
				workflowtest.Mock(e, Refund, func(_ context.Context, u workflow.Undo[Quote, Payment]) (workflow.None, error) {
					delete(bank, u.Output.TxID)
					return workflow.None{}, nil
				})
				order := Order{"1", "ann@example.com", three}
				if !completes {
					order.Mail = ""
				}
				run, err := flow.Start(t.Context(), e.Client(), order)
				if err != nil {
					t.Fatal(err)
				}
				if err := Approval.Send(t.Context(), run, Decision{OK: true}); err != nil {
					t.Fatal(err)
				}
				_, err = run.Result(t.Context())
				if completes && (err != nil || len(bank) != 1) || !completes && (!errors.Is(err, workflow.ErrRunFailed) || len(bank) != 0) {
					t.Errorf("Result() = %v, and the bank has %v", err, bank)
				}
			}, flow)
		})
	}
}

func TestThePictureOfAnOrder(t *testing.T) {
	workflowtest.Golden(t, flow, "testdata/order.mmd")
}

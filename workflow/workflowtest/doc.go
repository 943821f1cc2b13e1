// Package workflowtest is for testing workflows without a server and without waiting:
// it carries out their runs in memory, has functions stand in for steps, and ends
// workers at the worst moments.
//
// # A run
//
// An [Engine] does what a server does. In a bubble of package testing/synctest time is
// virtual, so a run that waits for a day to be approved does so at once:
//
//	func TestALetterThatNobodyApprovesIsNotSent(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			e := workflowtest.New(t, letter)
//			workflowtest.Mock(e, send, func(context.Context, string) (string, error) {
//				return "sent", nil
//			})
//			run, err := letter.Start(t.Context(), e.Client(), "Dear Ann")
//			if err != nil {
//				t.Fatal(err)
//			}
//			got, err := run.Result(t.Context()) // a day later
//			if got != "not approved" || err != nil || e.Calls(send) != 0 {
//				t.Errorf("Result() = %q, %v, and %d letters; want none", got, err, e.Calls(send))
//			}
//		})
//	}
//
// A test that is to send a signal at a time sleeps until then, and sends it. What runs
// have come to, their status and history, is read as anywhere.
//
// # Crashes
//
// A step may run more than once, since its worker may die when it has taken effect and
// before that is recorded. [Engine.CrashBefore] is that moment, [Engine.CrashAfter] the
// next one, and [CrashEverywhere] tries all that there are:
//
//	func TestALetterIsSentWhereverAWorkerDies(t *testing.T) {
//		workflowtest.CrashEverywhere(t, func(t *testing.T, e *workflowtest.Engine) {
//			letters := make(map[string]bool) // those with one key are one
//			workflowtest.Mock(e, send, func(ctx context.Context, _ string) (string, error) {
//				letters[workflow.StepKey(ctx)] = true
//				return "sent", nil
//			})
//			run, err := letter.Start(t.Context(), e.Client(), "Dear Ann")
//			if err == nil {
//				err = approve.Send(t.Context(), run, true)
//			}
//			if err != nil {
//				t.Fatal(err)
//			}
//			if got, err := run.Result(t.Context()); got != "sent" || err != nil || len(letters) != 1 {
//				t.Errorf("Result() = %q, %v, and %d letters; want one", got, err, len(letters))
//			}
//		}, letter)
//	}
//
// # The picture
//
// [Golden] compares a workflow with a file that holds its picture in the Mermaid
// language, which many viewers of Markdown draw.
package workflowtest

// Package queuetest is for testing programs that use queues, without a server and
// without waiting. It has a queue in memory that remembers what was enqueued, and
// runs handlers as a server does, with retries, delays and all.
//
// # What was enqueued
//
// A [Recorder] is a client whose queue lies in memory:
//
//	func TestSignUpSendsAMail(t *testing.T) {
//		rec := queuetest.NewRecorder()
//		signUp(t.Context(), rec.Client, "ann")
//
//		mails := rec.Enqueued(queuetest.OfType("email:welcome"))
//		if len(mails) != 1 || mails[0].Queue != "low" {
//			t.Errorf("enqueued %v, want one mail, in low", mails)
//		}
//	}
//
// With [Recorder.Inline], a task is run before the call that enqueues it returns.
//
// # What comes of it
//
// [RunUntilIdle] runs tasks until nothing waits any more. In a bubble of package
// testing/synctest time is virtual, so a task that waits for a month is run at
// once, and after it has failed five times has been retried as often:
//
//	func TestAReminderIsSentAfterAMonth(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			rec := queuetest.NewRecorder()
//			signUp(t.Context(), rec.Client, "ann")
//			begin := time.Now()
//			attempts, err := rec.RunUntilIdle(t.Context(), newMux())
//			if err != nil || len(attempts) != 1 || time.Since(begin) < 30*24*time.Hour {
//				t.Errorf("attempts %v in %v, error %v; want one after 30 days", attempts, time.Since(begin), err)
//			}
//		})
//	}
//
// What is in the queue then, an [queue.Inspector] tells. Workflows are tasks, and
// are tested in the same way: start the run with the recorder's client, and ask
// for its result when RunUntilIdle has returned.
package queuetest

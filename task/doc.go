// Package task says what is run. A [Task] is a type and a payload; a [Handler]
// runs it. How a task gets from the program that makes it to the one that runs
// it is package queue's, and where it lies in between is a broker's. This
// package imports only the standard library, so that handlers can be written
// and tested without either.
//
// # A program
//
// The type says what is to be done, the payload to what. A [Mux] finds the
// function for a type; a client and a server share nothing but these.
//
//	func main() {
//		ctx, stop := queue.SignalContext()
//		defer stop()
//		b, err := sqlitebroker.Open("mail.db", nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer b.Close()
//
//		client := queue.NewClient(b)
//		welcome := task.New("email:welcome", []byte(`{"user_id":42}`), task.MaxRetry(5))
//		if _, err := client.Enqueue(ctx, welcome, task.ProcessIn(time.Minute)); err != nil {
//			log.Fatal(err)
//		}
//
//		mux := task.NewMux()
//		mux.HandleFunc("email:welcome", sendWelcome)
//		srv, err := queue.NewServer(b, queue.Config{Concurrency: 10})
//		if err != nil {
//			log.Fatal(err)
//		}
//		if err := srv.Run(ctx, mux); err != nil {
//			log.Fatal(err)
//		}
//	}
//
//	func sendWelcome(ctx context.Context, t *task.Task) error {
//		var p struct {
//			UserID int `json:"user_id"`
//		}
//		if err := json.Unmarshal(t.Payload(), &p); err != nil {
//			return fmt.Errorf("payload of %s: %w: %w", t.Type(), err, task.SkipRetry)
//		}
//		return mail.Welcome(ctx, p.UserID)
//	}
//
// # Kinds
//
// A [Kind] is a type whose payload and result are Go values, in JSON or in what a
// [Codec] makes of them. It has its own Enqueue, Handle and Wait, so that the
// compiler sees to it that all who have to do with a type mean the same:
//
//	var Welcome = task.Define[User, task.None]("email:welcome", task.MaxRetry(5))
//
//	Welcome.Handle(mux, func(ctx context.Context, u User) (task.None, error) { … })
//	info, err := Welcome.Enqueue(ctx, client, User{ID: 42})
//
// # Options
//
// An [Option] belongs to a task ([New]), to a call that enqueues it, to a client
// as its default, or to a [Kind]. The call's win over the task's, the task's over
// the client's, the client's over the kind's. [Resolve] is the whole rule, and refuses bad values: all of them in
// one error, each an [InvalidError] that names the option and the value.
//
// # Outcomes
//
// What a handler returns decides what becomes of its task; see [SkipRetry],
// [Revoke], [Snooze] and [RetryPolicy]:
//
//	nil                  done; kept as completed if it has a Retention
//	wraps SkipRetry      archived at once
//	wraps Revoke         done, and not kept
//	Snooze(d)            run again after d, without costing a retry
//	any other, a panic   run again after the delay of the RetryPolicy, or
//	                     archived if it has used its retries
//
// A task is run at least once. It is run again if the process or its connection
// dies before the outcome is recorded, so a handler should bear that. Such an
// interruption costs no retry.
//
// # States
//
// A stored task is in one [State], and [State.CanMove] says where it may go from
// there. An [Info] is what is known of one.
package task

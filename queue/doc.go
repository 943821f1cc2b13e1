// Package queue gets tasks from the programs that make them to the handlers
// that run them. A [Client] stores a task in a broker; a [Server], in the same
// process or in another, leases it, calls the handler, and records what came of
// it.
//
//	func main() {
//		ctx, stop := queue.SignalContext()
//		defer stop()
//		b, err := sqlitebroker.Open("mail.db", nil) // or a Redis: redisbroker.Open
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer b.Close()
//
//		client := queue.NewClient(b)
//		if _, err := client.Enqueue(ctx, task.New("email:welcome", []byte("42"))); err != nil {
//			log.Fatal(err)
//		}
//
//		mux := task.NewMux()
//		mux.HandleFunc("email:welcome", sendWelcome) // func(context.Context, *task.Task) error
//		srv, err := queue.NewServer(b, queue.Config{Concurrency: 10})
//		if err != nil {
//			log.Fatal(err)
//		}
//		if err := srv.Run(ctx, mux); err != nil { // returns after TERM or INT
//			log.Fatal(err)
//		}
//	}
//
// # At least once
//
// A task that was accepted is run at least once, whatever process or machine
// ends meanwhile. It may be run more than once: if a worker ends between the
// handler's last line and the commit of the outcome, another one begins anew. So
// a handler should bear to be called again. The outcome, however, is recorded
// exactly once, and counted once.
//
// An interruption is not a failure. A task whose worker died or was shut down,
// or whose lease was lost, is run again and has as many attempts left as before.
// It goes to the front of its queue. One whose worker is lost more than MaxCrashes
// times in a row, three if nobody says otherwise, is poison: it is archived as that,
// and its handler is called no more. A shutdown does not count.
//
// # Leases
//
// A server holds a lease on each task that it runs. A lease lasts ten seconds
// and is extended every three, as long as the handler runs, so a task of a
// server that died is run by another one within fifteen seconds. If a lease is
// lost all the same, because the process stood still or the storage was out of
// reach for too long, the handler's context ends with [ErrLeaseLost] and nothing
// that it returns is recorded: the task is somebody else's now, and the broker
// would refuse it.
//
// A task for which a server has no handler is put off by fifteen seconds, at the
// cost of no attempt: another server may have one, now or after the next deploy.
// Until then it is to be seen among the tasks to be retried, with the reason as
// its last error.
//
// An outcome that the storage does not take is kept, and its lease extended,
// until it does or the server ends.
//
// # Order
//
// Tasks of one queue are started in the order in which they became ready, which
// is no promise about the order in which they end. Between queues, a server
// draws by the weights of its Config, or with StrictPriority serves the highest
// first; a queue that has nothing to do leaves its share to the others.
//
// # What is atomic
//
// A task that is enqueued exists as a whole or not at all, with its unique claim
// and its schedule. Several enqueued with [Client.EnqueueMany] are stored each on
// its own, with [Client.EnqueueAll] all or none, and with [Client.EnqueueTx] with
// the program's own transaction. An outcome is one commit: that the task is done,
// its result, what the handler had enqueued by [Then], and what a [SettleFunc] adds,
// such as the steps of a workflow that it makes ready; or that the task is
// exhausted, and what Config.OnExhausted wants done about it. There is no moment in
// which a task is neither waiting, nor leased, nor ended.
//
// # Unique tasks
//
// A task may be the only one with its key in its queue: until it is done, until it
// starts, for a period, after a time of quiet, or once more after the one that is
// being run. See [task.UniqueUntilDone] and those beside it; what becomes of a
// second task in each state of the first is a table, docs/unique.md. A client
// refuses the second one with a [DuplicateError], unless [task.OnConflict] has it
// take the holder's place, or give way.
//
// # Waiting
//
// [Client.Wait] waits for the end of a task and returns what it has left: its
// result, or a [FailedError]. A handler says by [Report] how far it is, and who
// waits hears of it ([OnProgress]).
//
// # Middleware
//
// What is put around a client by [Client.Use] sees every task that goes through it,
// by whatever way; packages that make changes of their own have it run by
// [Client.Prepare]. What is put around handlers is the mux's ([task.Mux.Use]).
//
// # Beside the tasks
//
// A package that registers handlers may have something to do besides: what it
// gives [task.Mux.Background] is run by every server of that mux, from its start to
// its stop. It learns from [BackgroundFromContext] whose it is.
//
// # The end of a handler
//
// The context of a handler ends for one of the reasons that [context.Cause]
// tells: [ErrTimeout], [ErrShutdown], [ErrLeaseLost], [ErrCancelled]. A handler
// that returns soon afterwards has its say: nil is done, an error has failed,
// except that after ErrShutdown an error means that the task is given back, and
// after ErrCancelled that it is archived as cancelled. A task that is cancelled
// ends at once where the storage can be listened to, otherwise within three
// seconds, and is not retried. A handler that goes on for more than a second is
// given up. Its task is settled without it, its slot stays taken and is reported
// until it returns, and what it then returns is dropped. A handler that panics or ends its goroutine has failed.
//
// A handler is not called at all for a task that is too late: whose deadline, or the
// time by which it was to begin ([task.StartBy]), has passed. It is archived as
// expired, and that is no failure.
package queue

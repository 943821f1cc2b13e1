// Package aggregate does many small tasks in one go.
//
// Tasks that are enqueued with a [task.Group] wait in that group until there are enough
// of them, or they have waited long enough: a [Rule] says when. Then they are a batch,
// and a [Handler] folds it into one task, or does what is to be done for all of them and
// says what became of each:
//
//	agg := aggregate.New()
//	agg.Handle("default", "event:", aggregate.Rule{MaxSize: 500, Grace: time.Second},
//		aggregate.Fold(func(ctx context.Context, group string, events []Event) (*task.Task, error) {
//			payload, err := json.Marshal(events)
//			return task.New("insert", payload), err
//		}))
//	agg.Handle("default", "embed", aggregate.Rule{MaxSize: 100}, aggregate.EachOf(embedAll))
//	err := agg.Register(mux)
//
// A batch starts in the moment in which it is full or has waited long enough, as many at
// once as the rule allows, be they of one group or of many. A group in which nothing
// happens costs nothing.
//
// # What is promised
//
// A batch is leased, as a single task is: its lease is extended as long as the handler
// runs, and if the process ends, its tasks go back to where they were in their group.
// That is not a failure. Nothing is stranded: whatever becomes of the processes, a task
// waits in its group, where one sees it ([queue.Inspector.Groups]), is in a batch that is
// leased, or has ended.
//
// That a batch was folded is one commit: the task that it was folded into exists exactly
// if the tasks of the batch are done. So each of them is in exactly one batch that has
// succeeded, although the handler may have been called for it more often.
//
// A task whose processes have died twice in a row is run alone from then on, and not
// while another such task runs, so that it takes no other with it, until it is
// archived as poison, when its MaxCrashes or [queue.Config] says. One that is too old,
// by [task.StartBy] or its deadline, is archived as expired.
//
// A task with a group that is to be processed later joins it then, and one that is
// retried joins it again. One that an operator runs ([queue.Inspector.Run]) is run by
// itself, by the handler of its type.
//
// When a server stops, no batch is begun any more. Those that run are waited for, almost
// as long as its ShutdownTimeout says, and then told to end; what they leave undone goes
// back to its group, at no cost.
//
// Grace and MaxDelay count from the second, rounded up, in which a task joined its group.
//
// # Beside asynq
//
// The groups are those of asynq, and on one Redis its clients, servers and tools work
// beside this. What its clients add to a group wakes nobody: it is found within ten
// seconds.
package aggregate

// Package periodic enqueues tasks on a schedule.
//
// An [Entry] has a name, a schedule and a task; a [Tick] is one firing of it. A
// [Scheduler] runs in every replica of a program, beside its server or alone:
//
//	s := periodic.New(client, periodic.Config{})
//	err := s.Register(periodic.Entry{
//		Name:     "report",
//		Schedule: "30 2 * * *",
//		Zone:     "Europe/Berlin",
//		Type:     "report:make",
//		Payload:  periodic.JSON(func(t periodic.Tick) Report { return Report{Day: t.Time.Format(time.DateOnly)} }),
//	})
//	...
//	err = queue.Run(ctx, server.Serving(mux), s)
//
// # What holds
//
// Each tick is enqueued exactly once, however many schedulers run the entry, and
// whichever of them die, start, or have clocks apart: there is no leader. What has been
// decided of an entry is a document in the storage that the tick's task is enqueued
// together with. A tick that is found late, because all schedulers were away or the
// storage was, is enqueued all the same if it is not later than the entry's Window; what
// becomes of older ones is its [Missed]. What becomes of a tick while the task of an
// earlier one is not done is its [Overlap]; that a task fails and is archived never
// stops the next.
//
// No tick is early: its task is due at its time by the schedule, whatever the clock of
// the one says who enqueued it.
//
// # Entries
//
// They come from code ([Scheduler.Register]), from a [Provider] that is polled, or are
// stored by [Inspector.Add] and run by every scheduler of the storage. Which of these an
// entry comes from is its [Source]; a stored one and another cannot have the same name.
// An entry that is changed goes on from the last tick of its former self, or from now if
// the ticks themselves are others: nothing is made up for by a schedule that was not
// there.
//
// An [Inspector] lists entries, pauses and resumes them, runs one now, and runs the
// ticks of a time that has passed.
//
// # Times
//
// The ticks of a schedule whose minute and hour do not begin with "*" are by the clock
// on the wall: where that leaves out an hour in spring what is due in it is due at the
// first moment after, and where it repeats one in autumn it is due at the first of both.
// All others are in real time.
package periodic

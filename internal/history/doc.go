// Package history is a small history of figures that is kept in the broker itself, so
// that charts need no second system: what servers have done, by the minute for two days
// and by the hour for ninety.
//
// A server counts in a [Keeper], which writes what has come together once a minute: how
// many tasks of each type were processed, how long they waited and ran, as [Histogram]s,
// and how many stand in each state of a queue ([Gauges]). [Read] returns it.
//
// # What is stored
//
// Documents in homes beside the queue leat~history, in which no task ever is:
//
//	minutes-20261130   <queue>~13   the minutes of an hour, UTC; goes 2 days after the day's end
//	hours-202611       <queue>~30   the hours of a day, UTC; goes 90 days after the month's end
//
// Several servers write the same document. Each adds what it has counted to what is there,
// requires the version that it has read, and begins anew with what somebody else has
// written meanwhile. A document knows at most 30 types of tasks; what is of others is
// counted as [Other]. When a queue is removed its history stays until its time is over.
//
// If the storage does not answer, some minutes are lost, and nothing else is.
package history

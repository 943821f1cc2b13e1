// Package task says what is run: a [Task] is a type and a payload, a [Handler]
// runs it. How a task gets from a producer to a handler is package queue's.
package task

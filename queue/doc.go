// Package queue gets tasks from the programs that make them to the handlers
// that run them.
package queue

// Package dash is the dashboard in the terminal.
//
// It is a stack of screens for each tab. A [screen] says what it wants to know from the
// storage, draws what it knows, and has keys; the frame around it asks, in a goroutine of
// its own and never twice at a time, and draws the rest. So no key waits for the storage.
package dash

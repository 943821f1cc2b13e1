// Package tmuxtest runs programs of the terminal in tmux, for tests: it sends them keys
// and clicks, resizes what they draw on, and reads what they have drawn.
//
// Each [Terminal] is a tmux server of its own, which reads nobody's configuration and
// ends with the test, or with the test's process however that ends.
package tmuxtest

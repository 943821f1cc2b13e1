// Package outlinetest has runs for the tests of what draws them: of each kind of step, in
// each state, with runs within them, and large ones.
package outlinetest

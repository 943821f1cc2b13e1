// Package rundraw draws a run as SVG: its steps and what waits for what, and when they
// ran.
package rundraw

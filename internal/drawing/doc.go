// Package drawing draws a run as text: [Graph] its steps and what waits for what, [Gantt]
// when they ran. A [Picture] is a grid of cells, each with what it means, so that a
// terminal may scroll and colour it, and find the step at a place.
package drawing

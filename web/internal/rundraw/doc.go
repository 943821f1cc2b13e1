// Package rundraw draws a run as SVG: its steps and what waits for what, and when they
// ran. Both are of one size for the same workflow however far the run has come, so that
// nothing moves while it goes on, and both get coarser the more steps there are.
//
// Each step is a link with data-step, its name, and for one of a run within data-run, the id of
// that. It is in the class state-NAME of its state, which sets color; critical, if it is one of
// those by which the run took so long; added, if a step has added it to the run; and selected.
// A sign and a title tell its state, too. What is drawn is below an svg in the class graph or
// gantt, in the classes node, frame, edge, row, wait, tries, attempt, work, other, pause and axis.
package rundraw

// Package outline is what is drawn of a run, whatever it is drawn with: which of its steps
// are drawn as one, how each stands, in which rows it is told when they ran, by which of
// them the run took so long, and the scale of the time.
package outline

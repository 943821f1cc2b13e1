// Package layout places the nodes of a directed acyclic graph in layers, so that all
// edges go forward, and finds ways for its edges.
//
// It goes by the method of Sugiyama: nodes get ranks, edges that span several ranks pass
// through one place in each rank between, which all edges of one node share; the order in
// each rank is improved by sweeps as long as they save crossings; coordinates are those
// with the least squared distance to the neighbours; and edges turn in lanes between the
// ranks, in which no two of different nodes overlap.
//
// All is in whole units: cells of a terminal, or pixels. The same graph gives the same
// drawing.
package layout

// Package facet tells what tasks have in common: in which states and queues they are, of
// which types, and with what errors, and by which query a list is narrowed to those.
package facet

// Package quantity writes times, sizes and numbers in a few letters, the same on all that
// people look at.
package quantity

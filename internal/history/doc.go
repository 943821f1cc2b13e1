// Package history is a small history of figures that is kept in the broker itself: what
// servers have done, by the minute and by the hour.
package history

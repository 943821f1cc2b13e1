// Package stock fills a storage as one that has been in use for a while: queues with tasks
// in all states, groups, periodic entries, a server at work, and runs of workflows that
// stand in every way. What it puts there, but for times, is the same every time.
//
// Tests of whole programs look at it, and the pictures of the documents are taken of it.
package stock

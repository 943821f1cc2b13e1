// Package tail tells what happens to tasks as it happens: from the events that a storage
// keeps, or, where it keeps none, by looking at figures and the newest tasks again and
// again, which tells less.
package tail

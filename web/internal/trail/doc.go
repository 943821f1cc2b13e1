// Package trail makes links that lead from a task to other systems: its trace, its log, the
// order that it is about. What is known of the task is put into templates of addresses.
package trail

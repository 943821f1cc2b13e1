// Package trail makes links that lead from a task or a run to other systems: its trace, its log,
// the order that it is about. What is known of it is put into templates of addresses.
package trail

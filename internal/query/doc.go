// Package query is the language in which one says which tasks, runs, periodic entries,
// queues or servers are meant, and the search for tasks by it. The command, the terminal
// dashboard and the web understand the same.
//
// A query is terms separated by spaces, all of which must hold:
//
//	state:retry,archived type:email:* payload.user.id:17 -error~timeout age>5m
//
// docs/query.md describes it for those who write one.
package query

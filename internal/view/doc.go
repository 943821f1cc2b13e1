// Package view is what is shown of tasks, queues, servers, runs and periodic entries: in
// every output of the command, on its dashboard, and by the web.
//
// The JSON of its types is a promise to programs that read it: a name stays what it is,
// and more may come. Times are RFC 3339 in UTC, durations are numbers of seconds, what is
// not known or does not apply is left out unless a field says otherwise, and bytes of
// strangers are as [Data] has them.
package view

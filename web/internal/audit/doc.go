// Package audit keeps who did what: it tells a logger, and the broker keeps the latest.
//
// What was done in a month is kept until some time after its end, at most the latest
// 2,000 of each month. A storage that fails keeps nobody from doing something: then the
// logger alone has it.
package audit

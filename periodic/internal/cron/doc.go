// Package cron holds the schedules of periodic entries: when they tick, in which
// time zone, from when and until when.
//
// # Specs
//
// A spec has five fields, or six, of which the first is then seconds:
//
//	second (0-59, if there are six) minute (0-59) hour (0-23) day of month (1-31) month (1-12, jan-dec) day of week (0-6, sun-sat)
//
// A field is a list of items with commas between them. An item is a value, a
// range a-b, "*" or "?" for all, and each of these may have a step: "a-b/n".
// "a/n" is a, a+n and so on to the end of the field. Beside these there are
// "@yearly" (and "@annually"), "@monthly", "@weekly", "@daily" (and
// "@midnight") and "@hourly", which stand for five fields, and
// "@every 1h30m". A spec may begin with its time zone: "CRON_TZ=Asia/Tokyo 0 6 * * *",
// or "TZ=". Fields are read by github.com/robfig/cron/v3, so that they mean what
// they mean for asynq; what it would take for something that nobody wrote is
// refused.
//
//	1,,2  *-5  +5     refused: robfig skips the empty item, reads "*-5" as "*" and "+5" as 5
//	0 0 30 2 *        refused: it never ticks
//	@every 1500ms     refused: whole seconds, at least one; robfig cuts what is beyond
//	TZ=Local          refused: the replicas of a program need not agree
//	* * * * 7         refused: Sunday is 0 or sun
//	*/45 * * * *      minutes 0 and 45 of each hour, not each 45 minutes: that is "@every 45m"
//	0 0 1,15 * mon    on the 1st, on the 15th, and on Mondays: if both days are
//	                  restricted, one is enough
//	0 0 */2 * mon     on odd days, and on Mondays: a step of two or more restricts. Cron
//	                  of ISC takes it for odd days that are Mondays
//	0 0 29 2 *        each leap year, also 2096 and then 2104; robfig gives up after five
//	                  years
//
// # Switches of the clocks
//
// A spec goes by the wall clock if neither its minute nor its hour begins with
// "*" or "?": at such a time of day something is to be done, once on each day.
// All others go by real time: they tick at each instant at which the clocks of the
// zone show a time that matches. These are the rules of ISC's cron. robfig leaves
// out what the clocks skip and doubles what they repeat.
//
//	America/New_York      9 March 2025, 02:00 to 03:00       2 November 2025, 02:00 to 01:00
//	30 2 * * *            03:00 EDT, once                    02:30 EST
//	30 1 * * *            01:30 EST                          01:30 EDT, the first of two
//	15,45 2 * * *         03:00 EDT, once for both           02:15 and 02:45 EST
//	0 0-23 * * *          23 ticks: 02:00 and 03:00 are one  24 ticks
//	0 * * * *             23 ticks, one an hour              25 ticks, one an hour
//	*/15 * * * *          each 15 minutes                    each 15 minutes
//	*/15 2 * * *          none: no clock shows it            02:00 to 02:45
//	*/15 1 * * *          01:00 to 01:45                     eight: the hour comes twice
//
// So a time of the wall clock that is skipped ticks at the first instant after
// the gap. A gap of more than three hours is no switch to summer time but a
// change of the calendar: of the day that Apia left out, 30 December 2011,
// nothing is made up.
//
// "@every" goes by real time in all zones. It is pinned to the start of the Unix
// epoch, or to Options.Start if there is one, so that whoever runs an entry, and
// since whenever, agrees on its ticks.
package cron

// Package svg draws charts as SVG: [Lines] and [Columns] over time, a
// [Heat] map of histograms over time, a [Spark] line and a [Progress] bar.
//
// What they return stands by itself in a page with a strict content security policy:
// it has neither style attributes nor scripts, and whatever it was given as a name or
// as text is escaped. The same values give the same bytes.
//
// Colours are the style sheet's: each mark has a class, c0 to c7 by its place or one that
// the caller gives it, such as state-pending, which sets color; the mark is drawn in
// currentColor. Lines differ in their dashes as well, and whatever has a colour has a
// <title> that says what it is. The other classes are chart, spark and progress, of the
// whole; grid, of lines behind the marks; axis, of the text beside them; legend.
//
// A time on an axis is written in UTC and carries data-time, RFC 3339, and data-form,
// which is seconds, minutes or days: a script may write it anew in the zone of who looks
// at it.
package svg

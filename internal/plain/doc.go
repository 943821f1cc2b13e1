// Package plain makes of what strangers wrote, payloads, results, errors and names,
// text that is harmless on a terminal: nothing in it moves the cursor, changes colours,
// runs from right to left, or cannot be seen.
//
// What is not shown as it is, is shown as an escape such as \x1b or \u202e. Nothing is
// done to a backslash that was there, so what is shown is for people to read, and not to
// be read back.
package plain

// Package spoken says in words when a schedule ticks.
package spoken

// Package deed is everything that can be done from the dashboard: a table of deeds, which
// the pages and the API offer alike, and a [Doer] that does one of them, to one thing, to
// several, or to all that a query takes.
package deed

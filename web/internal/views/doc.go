// Package views keeps what is asked for on a list under a name, for everybody who uses the
// dashboard. All views are one document, of which each change requires the version that it
// has read: two who keep one at once keep both.
package views

// Package storage is what the dashboard reads from and writes to: a broker with those who
// look after it. What many pages show is read once for all who ask within a moment.
package storage

// Package guard is the middleware before everything that the dashboard serves: who
// asks, from where, and what they may.
package guard

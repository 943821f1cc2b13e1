// Package guard is the middleware before everything that the dashboard serves: who
// asks, from where, and what they may.
//
// What comes through is a request of somebody known ([access.From]), for a path without
// detours, that no other site has had a browser make, and if it changes something, from
// somebody who may change things, with a body that has been read and is not too large.
package guard

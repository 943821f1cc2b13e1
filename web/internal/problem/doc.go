// Package problem says of an error what whoever asked over HTTP is told: a status, and a
// text in which nothing is that is not theirs to know.
package problem

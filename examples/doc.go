// Package examples holds the test that builds and runs every program below it.
package examples

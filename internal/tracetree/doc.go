// Package tracetree reads spans as trees: it finds what a viewer such as Jaeger would
// complain of, and writes them down without times and random ids, so that a test can
// compare them with a file.
package tracetree

// Package output writes what commands have to show: lists and records, as tables for
// people and as JSON, YAML or ids for programs.
//
// What is shown of a thing is a struct of package view, which has the same fields in
// every form. A table shows some of them: a [Table] says which, once for each kind of
// thing.
package output

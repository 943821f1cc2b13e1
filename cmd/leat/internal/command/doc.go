// Package command is what the program leat does: a tree of commands, a file for each
// noun. What a thing is and what can be done to it is known to the library; a command
// finds out what is meant, asks the library, and has package output show the answer.
package command

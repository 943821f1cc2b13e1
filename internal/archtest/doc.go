// Package archtest holds the rules of this repository that a program can
// check: who may import whom, what has a comment, how long a file may be, what
// documents must agree with. Its tests apply them to the whole tree, and to
// samples that break them.
package archtest

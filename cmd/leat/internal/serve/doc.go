// Package serve is the server under the dashboard of the program leat: where it listens,
// how long who asks may take, and how it ends; whether it lives, and who finds that out.
package serve

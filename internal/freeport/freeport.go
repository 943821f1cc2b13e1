// Package freeport finds ports for servers that tests start in processes of their own,
// and addresses at which nobody answers.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// The ports that are looked at. Linux gives those from 32768 on to connections: one of
// these may be gone before a server has it, or while the server is restarted.
const lowest, beyond = 10_000, 32_768

// Find returns an address, 127.0.0.1:port, at which nobody listens. It is not held:
// somebody else may take the port before who asked for it does.
func Find() (address string, err error) {
	for range 1000 {
		address = fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(beyond-lowest))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}

// Address returns what [Find] does, and ends t if there is none.
func Address(t testing.TB) string {
	t.Helper()
	address, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Port returns the port of an [Address].
func Port(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(Address(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

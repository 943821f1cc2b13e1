package freeport

import (
	"net"
	"strconv"
	"testing"
)

func TestAPortIsFreeAndNoneThatConnectionsAreGiven(t *testing.T) {
	for range 100 {
		port := Port(t)
		if n, err := strconv.Atoi(port); err != nil || n < lowest || n >= beyond {
			t.Errorf("Port() = %s, %v, want one from %d to %d", port, err, lowest, beyond-1)
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Errorf("nobody can listen at what was free: %v", err)
			continue
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

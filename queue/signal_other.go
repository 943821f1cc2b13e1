//go:build !unix

package queue

import (
	"os"
	"syscall"
)

var (
	endSignals   = []os.Signal{syscall.SIGTERM, os.Interrupt}
	pauseSignals []os.Signal
)

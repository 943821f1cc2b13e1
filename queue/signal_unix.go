//go:build unix

package queue

import (
	"os"
	"syscall"
)

var (
	endSignals   = []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	pauseSignals = []os.Signal{syscall.SIGTSTP}
)

// Command leat looks after the tasks, runs and periodic entries of a storage, from a
// terminal: see docs/cli.md, or "leat help".
package main

import (
	"os"

	"github.com/leatwork/leat/cmd/leat/internal/command"
)

func main() {
	os.Exit(command.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

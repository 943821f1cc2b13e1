package command

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// Tree returns the tree of commands, which writes nothing.
func Tree() *cobra.Command {
	a := &app{Printer: output.Printer{Out: io.Discard, Err: io.Discard, Format: output.Narrow}}
	return a.root()
}

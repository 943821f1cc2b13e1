package command

import (
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// Tree returns the tree of commands, which writes nothing.
func Tree() *cobra.Command {
	a := &app{Printer: output.Printer{Out: io.Discard, Err: io.Discard, Format: output.Narrow}}
	return a.root()
}

// WebVariables returns the variables of the dashboard, with those of the storage.
func WebVariables() []string {
	all := allWebVariables()
	for _, s := range connect.Table() {
		all = append(all, s.Env())
	}
	for _, a := range connect.Aliases() {
		all = append(all, a.Env())
	}
	return all
}

// SetProcessOne has another file tell the arguments of the first process, until restore is
// called.
func SetProcessOne(path string) (restore func()) {
	was := processOne
	processOne = path
	return func() { processOne = was }
}

// VariablesOf returns the variables of the environment that say what a flag of the
// dashboard would.
func VariablesOf(flag string) []string {
	for _, a := range connect.Aliases() {
		if a.Flag() == "--"+flag {
			return []string{a.Env()}
		}
	}
	if flag == "refresh" {
		return []string{"LEAT_REFRESH"}
	}
	if slices.Contains(onlyFlags, flag) {
		return nil
	}
	return webVariables(flag)
}

// DocumentedFlags returns the flags that asynqmon documents.
func DocumentedFlags() []string {
	all := slices.Clone(asynqmonFlags)
	for _, a := range connect.Aliases() {
		all = append(all, a.Flag()[len("--"):])
	}
	return all
}

package command

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// A build is how this program was made.
type build struct {
	Version  string `json:"version"` // of the module
	Go       string `json:"go"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"` // of the commit
	Modified bool   `json:"modified,omitempty"`
}

var buildRecord = output.Record[build]{
	ID: func(b build) string { return b.Version },
	Fields: []output.Field[build]{
		{Name: "leat", Text: func(b build) string { return b.Version }},
		{Name: "go", Text: func(b build) string { return b.Go }},
		{Name: "commit", Text: func(b build) string {
			if b.Modified {
				return b.Commit + " and changes"
			}
			return b.Commit
		}},
		{Name: "time", Text: func(b build) string { return b.Time }},
	},
}

func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	b := build{Version: info.Main.Version, Go: info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell which version this is",
		Example: "leat version\nleat version -o json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return output.One(&a.Printer, buildRecord, readBuild()) },
	}
}

// showVersion gives root a flag for that, which needs no settings.
func (a *app) showVersion(root *cobra.Command) {
	var wanted bool
	root.Flags().BoolVar(&wanted, "version", false, "tell which version this is")
	run := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if !wanted {
			return run(c, args)
		}
		return a.Print("leat %s", readBuild().Version)
	}
}

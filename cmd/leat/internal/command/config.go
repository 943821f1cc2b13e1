package command

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// A shownSetting is what a setting has come to.
type shownSetting struct {
	Key   string `json:"key"`
	Value string `json:"value"` // without passwords
	From  string `json:"from"`
}

var inForceTable = output.Table[shownSetting]{
	Columns: []output.Column[shownSetting]{
		{Name: "Setting", Cell: func(s shownSetting) string { return s.Key }},
		{Name: "Value", Cell: func(s shownSetting) string { return s.Value }, Loose: true},
		{Name: "From", Cell: func(s shownSetting) string { return s.From }},
	},
	ID: func(s shownSetting) string { return s.Key },
}

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Show which settings are in force, and where each was said",
		Example: "leat config\nleat --profile prod config\nleat config path\nleat config profiles\nleat config check leat.yaml",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			if err := a.begin(c); err != nil {
				return err
			}
			return a.showConfig()
		},
	}
	c.AddCommand(
		&cobra.Command{
			Use: "path", Short: "Tell which config file is read", Example: "leat config path", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return a.showConfigPath() },
		},
		&cobra.Command{
			Use: "profiles", Short: "List the profiles of the config file", Example: "leat config profiles", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return a.showProfiles() },
		},
		&cobra.Command{
			Use: "check FILE", Short: "Say what is wrong with a config file, if anything", Example: "leat config check leat.yaml", Args: cobra.ExactArgs(1),
			Annotations: map[string]string{noSettings: ""},
			RunE: func(_ *cobra.Command, args []string) error {
				if err := connect.CheckFile(args[0]); err != nil {
					return err
				}
				return a.Done("%s is sound", args[0])
			},
		},
	)
	return c
}

func (a *app) showConfig() error {
	shown := []shownSetting{}
	for _, v := range a.InForce() {
		shown = append(shown, shownSetting{v.Key, v.Text, v.From})
	}
	url, err := a.URL()
	if err != nil {
		return err
	}
	if err := output.List(&a.Printer, inForceTable, shown); err != nil {
		return err
	}
	if a.Format.ForPeople() {
		if err := a.Note("The storage is %s", url); err != nil {
			return err
		}
	}
	if unknown := connect.UnknownVariables(a.environ, allWebVariables()...); len(unknown) > 0 {
		return a.Note("Variables that look like settings and are none: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// A configPath is where the config file is.
type configPath struct {
	Path string `json:"path"` // "": there is none
}

func (a *app) showConfigPath() error {
	path := a.FilePath()
	if path == "" {
		if err := a.Note("There is no config file; it is looked for at %s", strings.Join(connect.Places(a.environ), ", ")); err != nil {
			return err
		}
	}
	if a.Format.ForPeople() || a.Format == output.ID {
		if path == "" {
			return nil
		}
		return a.Print("%s", path)
	}
	return output.One(&a.Printer, output.Record[configPath]{}, configPath{path})
}

var profileTable = output.Table[connect.Profile]{
	Columns: []output.Column[connect.Profile]{
		{Name: "Profile", Cell: func(p connect.Profile) string { return p.Name }},
		{Name: "In Force", Cell: func(p connect.Profile) string {
			if p.InForce {
				return "yes"
			}
			return ""
		}},
		{Name: "Storage", Cell: func(p connect.Profile) string { return p.URL }},
	},
	ID:    func(p connect.Profile) string { return p.Name },
	Empty: "No profiles.",
}

func (a *app) showProfiles() error {
	return output.List(&a.Printer, profileTable, a.Profiles())
}

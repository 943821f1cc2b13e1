package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
)

// A finding is what the doctor has found out about one thing.
type finding struct {
	Code    string `json:"code"`  // of the check: what a program branches on
	Level   level  `json:"level"` // "ok", "warning" or "broken"
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	Remedy  string `json:"remedy,omitempty"`
}

// A level says how bad a finding is.
type level string

const (
	levelOK      level = "ok"
	levelWarning level = "warning"
	levelBroken  level = "broken"
)

// mark returns the sign that people see.
func (l level) mark() string {
	switch l {
	case levelOK:
		return "✓"
	case levelWarning:
		return "!"
	}
	return "✗"
}

// errBroken is that something is broken. What, was shown.
var errBroken = errors.New("something is broken")

func (a *app) doctorCommand() *cobra.Command {
	var deep bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out whether all is well, and what is to be done if not",
		Long: `Find out whether all is well: the storage and how it is set up, queues and those who serve
them, periodic entries and their schedulers, runs that are stuck, and whether what is
stored contradicts itself.

The last reads everything, and is left out if there are more than 100000 tasks, unless
--deep. It fails if something is broken, and not for warnings.`,
		Example: "leat doctor\nleat doctor --deep\nleat doctor -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.examine(c.Context(), deep) },
	}
	c.Flags().BoolVar(&deep, "deep", false, "read everything that is stored, however much that is")
	return c
}

// examine makes all checks and shows what they have found.
func (a *app) examine(ctx context.Context, deep bool) error {
	b, err := a.open(ctx)
	if err != nil {
		return err
	}
	d := newDoctor(b, deep)
	d.examine(ctx)
	if !a.Format.ForPeople() {
		err = output.List(&a.Printer, findingTable(), d.findings)
	} else {
		err = a.writeFindings(d.findings)
	}
	for _, f := range d.findings {
		if f.Level == levelBroken && err == nil {
			err = errBroken
		}
	}
	return err
}

// writeFindings writes a line for each finding, and below it what to do.
func (a *app) writeFindings(findings []finding) error {
	for _, f := range findings {
		line := f.Level.mark() + " "
		if f.Subject != "" {
			line += plain.Name(f.Subject) + ": "
		}
		if err := a.Print("%s", line+plain.Name(f.Text)); err != nil {
			return err
		}
		if f.Remedy != "" {
			if err := a.Print("  → %s", f.Remedy); err != nil {
				return err
			}
		}
	}
	return nil
}

func findingTable() output.Table[finding] {
	return output.Table[finding]{
		ID: func(f finding) string { return f.Code }, Empty: "Nothing was found out.",
		Columns: []output.Column[finding]{
			{Name: "Level", Cell: func(f finding) string { return string(f.Level) }},
			{Name: "Text", Cell: func(f finding) string { return fmt.Sprint(f.Subject, " ", f.Text) }},
		},
	}
}

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
	Level   level  `json:"level"` // "ok", "warning", "broken", or "mended" just now
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
	levelMended  level = "mended"
)

// mark returns the sign that people see.
func (l level) mark() string {
	switch l {
	case levelOK, levelMended:
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
	var m mending
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out whether all is well, and what is to be done if not",
		Long: `Find out whether all is well: the storage and how it is set up, queues and those who serve
them, periodic entries and their schedulers, runs that are stuck, and whether what is
stored contradicts itself.

The last reads everything, and is left out if there are more than 100000 tasks, unless
--deep. It fails if something is broken, and not for warnings.

With --mend, what contradicts itself and has one plain remedy is put right first: that is
shown, and asked. It may be done while servers go on; no task is deleted.`,
		Example: "  leat doctor\n  leat doctor --deep\n  leat doctor -o json\n  leat doctor --mend --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := m.check(); err != nil {
				return err
			}
			return a.examine(c.Context(), deep, m)
		},
	}
	m.flags(c)
	c.Flags().BoolVar(&deep, "deep", false, "read everything that is stored, however much that is")
	return c
}

// examine mends what is to be mended, makes all checks and shows what they have found.
func (a *app) examine(ctx context.Context, deep bool, m mending) error {
	b, err := a.open(ctx)
	if err != nil {
		return err
	}
	d := newDoctor(b, deep || m.wanted)
	if m.wanted {
		done, enough, err := a.mend(ctx, m)
		if enough || err != nil {
			return err
		}
		d.findings = done
	}
	d.examine(ctx)
	err = a.showFindings(d.findings)
	for _, f := range d.findings {
		if f.Level == levelBroken && err == nil {
			err = errBroken
		}
	}
	return err
}

func (a *app) showFindings(findings []finding) error {
	if a.Format.ForPeople() {
		return a.writeFindings(findings)
	}
	return output.List(&a.Printer, findingTable(), findings)
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

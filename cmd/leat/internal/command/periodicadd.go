package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/periodic/yamlfile"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// An entryFlag is a flag that says something of an entry.
type entryFlag struct {
	name, short, usage string
	set                func(a *app, e *periodic.Entry, text string) error
}

func entryFlags() []entryFlag {
	set := func(f func(e *periodic.Entry) *string) func(*app, *periodic.Entry, string) error {
		return func(_ *app, e *periodic.Entry, text string) error { *f(e) = text; return nil }
	}
	return []entryFlag{
		{"schedule", "", "when it ticks: \"30 2 * * 1-5\", with or without seconds in front, \"@daily\" or \"@every 90s\"", set(func(e *periodic.Entry) *string { return &e.Schedule })},
		{"zone", "", "the time zone of the schedule, such as Europe/Berlin; UTC without it", set(func(e *periodic.Entry) *string { return &e.Zone })},
		{"start", "", "no tick is before it: 2030-01-31T08:00:00Z, or a day", setTime("--start", func(e *periodic.Entry) *time.Time { return &e.Start })},
		{"end", "", "no tick is after it", setTime("--end", func(e *periodic.Entry) *time.Time { return &e.End })},
		{"jitter", "", "how much later a tick may be, at random", setDuration("--jitter", func(e *periodic.Entry) *time.Duration { return &e.Jitter })},
		{"window", "", "how late a tick may be found and still be on time; 1m without it", setDuration("--window", func(e *periodic.Entry) *time.Duration { return &e.Window })},
		{"missed", "", "what becomes of ticks that are later: skip, once, or \"all 10 within 1h\"", func(_ *app, e *periodic.Entry, text string) error { return e.Missed.UnmarshalText([]byte(text)) }},
		{"overlap", "", "what becomes of a tick while an earlier one is not done: allow, skip, queue or cancel", func(_ *app, e *periodic.Entry, text string) error { return e.Overlap.UnmarshalText([]byte(text)) }},
		{"type", "t", "the type of its tasks", set(func(e *periodic.Entry) *string { return &e.Type })},
		{"workflow", "", "the workflow of which it starts runs, in place of --type", func(_ *app, e *periodic.Entry, text string) error { e.Type = workflow.StartType(text); return nil }},
		{"payload", "l", "what its tasks carry: the text, @FILE, or - for the standard input", func(a *app, e *periodic.Entry, text string) error {
			b, err := a.value("--payload", text)
			e.Payload = periodic.Bytes(b)
			return err
		}},
		{"template", "", "what its tasks carry, made of the tick: {\"day\": \"{{.Time.Format \"2006-01-02\"}}\"}; the text, @FILE, or -", func(a *app, e *periodic.Entry, text string) error {
			b, err := a.value("--template", text)
			e.Payload = periodic.Template(string(b))
			return err
		}},
		{"queue", "q", "the queue of its tasks", func(_ *app, e *periodic.Entry, text string) error {
			setOption(e, task.Queue(text))
			return nil
		}},
	}
}

func setTime(flag string, f func(e *periodic.Entry) *time.Time) func(*app, *periodic.Entry, string) error {
	return func(_ *app, e *periodic.Entry, text string) (err error) {
		*f(e), err = parseTime(flag, text)
		return err
	}
}

func setDuration(flag string, f func(e *periodic.Entry) *time.Duration) func(*app, *periodic.Entry, string) error {
	return func(_ *app, e *periodic.Entry, text string) (err error) {
		if *f(e), err = time.ParseDuration(text); err != nil {
			return task.Invalid(flag, text, "is no duration such as 90s")
		}
		return nil
	}
}

// setOption gives e an option in place of one of its kind.
func setOption(e *periodic.Entry, o task.Option) {
	kind := func(o task.Option) string { name, _, _ := strings.Cut(fmt.Sprint(o), "("); return name }
	e.Options = append(slices.DeleteFunc(slices.Clone(e.Options), func(other task.Option) bool { return kind(other) == kind(o) }), o)
}

// An entrySaying is what the command line says of entries.
type entrySaying struct {
	command *cobra.Command
	options []string // as [task.ParseOption] reads them
	file    string
}

func (s *entrySaying) addTo(c *cobra.Command) {
	s.command = c
	c.Flags().StringVar(&s.file, "file", "", "a YAML file of entries, as a scheduler reads it, in place of all other flags")
	c.Flags().StringArrayVar(&s.options, "option", nil, "an option of its tasks, such as MaxRetry(3) or Timeout(10m); may be given several times")
	c.MarkFlagsMutuallyExclusive("file", "option")
	for _, f := range entryFlags() {
		c.Flags().StringP(f.name, f.short, "", f.usage)
		c.MarkFlagsMutuallyExclusive("file", f.name)
	}
	c.MarkFlagsMutuallyExclusive("type", "workflow")
	c.MarkFlagsMutuallyExclusive("payload", "template")
}

// amend makes of e what the flags that were given say.
func (s *entrySaying) amend(a *app, e periodic.Entry) (periodic.Entry, error) {
	var faults []error
	for _, f := range entryFlags() {
		if given := s.command.Flags().Lookup(f.name); given.Changed {
			faults = append(faults, f.set(a, &e, given.Value.String()))
		}
	}
	for _, text := range s.options {
		o, err := task.ParseOption(text)
		if err == nil {
			setOption(&e, o)
		}
		faults = append(faults, err)
	}
	return e, usage(errors.Join(faults...))
}

// entries returns the entries that the command line is about: those of the file, or the
// one that it names and amends.
func (s *entrySaying) entries(a *app, args []string, known func(name string) (periodic.Entry, error)) ([]periodic.Entry, error) {
	switch {
	case s.file != "" && len(args) > 0:
		return nil, usage(errors.New("--file has the names of its entries: name none"))
	case s.file != "":
		text, err := os.ReadFile(s.file)
		if err != nil {
			return nil, err
		}
		entries, err := yamlfile.Parse(s.file, text)
		return entries, usage(err)
	case len(args) == 0:
		return nil, usage(errors.New("name an entry, or a file of entries with --file"))
	}
	e, err := known(args[0])
	if err != nil {
		return nil, err
	}
	e, err = s.amend(a, e)
	return []periodic.Entry{e}, err
}

func (a *app) periodicAddCommand() *cobra.Command {
	var s entrySaying
	c := &cobra.Command{
		Use:   "add ENTRY --schedule WHEN --type TYPE | add --file FILE",
		Short: "Store entries, which every scheduler runs from then on",
		Long: `Store entries, which every scheduler of this storage runs from then on. A file has the form
that package yamlfile documents; all of it is read before anything is stored.`,
		Example: `  leat periodic add report --schedule '30 2 * * 1-5' --zone Europe/Berlin --type report:make --queue low
  leat periodic add books --schedule @monthly --workflow books --template '{"month":"{{.Time.Format "2006-01"}}"}'
  leat periodic add --file entries.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			entries, err := s.entries(a, args, func(name string) (periodic.Entry, error) { return periodic.Entry{Name: name}, nil })
			if err != nil {
				return err
			}
			return a.store(c.Context(), entries, "entry %s is stored", (*periodic.Inspector).Add)
		},
	}
	s.addTo(c)
	return c
}

func (a *app) periodicChangeCommand() *cobra.Command {
	var s entrySaying
	c := &cobra.Command{
		Use:   "change ENTRY [FLAGS] | change --file FILE",
		Short: "Change entries that are stored",
		Long: `Change entries that are stored: what is said is changed, and the rest stays as it is. Of a
file, each entry takes the place of the one that has its name. An entry keeps its history;
if its ticks are others they begin now. One that comes from a program is changed there.`,
		Example: "  leat periodic change report --schedule '0 3 * * *'\n  leat periodic change --file entries.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			entries, err := s.entries(a, args, func(name string) (periodic.Entry, error) {
				i, err := a.entries(c.Context())
				if err != nil {
					return periodic.Entry{}, err
				}
				info, err := i.Get(c.Context(), name)
				return info.Entry, err
			})
			if err != nil {
				return err
			}
			return a.store(c.Context(), entries, "entry %s is changed", (*periodic.Inspector).Change)
		},
	}
	s.addTo(c)
	return c
}

// store stores each of entries, once all of them have been found to be valid.
func (a *app) store(ctx context.Context, entries []periodic.Entry, done string, put func(i *periodic.Inspector, ctx context.Context, e periodic.Entry, by string) error) error {
	var faults []error
	var names []string
	byName := make(map[string]periodic.Entry)
	for _, e := range entries {
		faults = append(faults, e.Check())
		names, byName[e.Name] = append(names, e.Name), e
	}
	if err := errors.Join(faults...); err != nil {
		return usage(err)
	}
	i, err := a.entries(ctx)
	if err != nil {
		return err
	}
	return a.eachTelling(names, func(name string) (string, error) {
		return fmt.Sprintf(done, name), put(i, ctx, byName[name], by())
	})
}

package command

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
)

func (a *app) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "stats",
		Short:   "Show how many tasks there are, what was done today, and what the storage tells of itself",
		Example: "leat stats\nleat stats -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.stats(c.Context()) },
	}
}

// A survey is the figures of all queues that can be read, and why others cannot.
type survey struct {
	view.Stats

	about storage
}

func (a *app) stats(ctx context.Context) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	infos, broken, err := i.Survey(ctx)
	if err != nil {
		return err
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return err
	}
	s := survey{Stats: view.StatsOf(infos), about: described(ctx, i)}
	s.Broker, s.Broken = &s.about.Storage, map[string]string{}
	s.Servers = len(servers)
	for name, err := range broken {
		s.Broken[name] = err.Error()
	}
	if a.Format.ForPeople() {
		err = a.showStats(s)
	} else {
		err = output.One(&a.Printer, output.Record[survey]{ID: func(survey) string { return s.about.Address }}, s)
	}
	if err != nil {
		return err
	}
	return a.sayBroken(broken)
}

// showStats writes a block for each kind of figures.
func (a *app) showStats(s survey) error {
	states := task.States()
	slices.SortFunc(states, func(x, y task.State) int { return slices.Index(stateOrder, x) - slices.Index(stateOrder, y) })
	var byState [2][]string
	for _, state := range states {
		byState[0] = append(byState[0], state.String())
		byState[1] = append(byState[1], count(s.States[state.String()]))
	}
	var byQueue [2][]string
	for _, q := range s.Queues {
		name := plain.Name(q.Queue)
		if q.Paused {
			name += " (paused)"
		}
		byQueue[0], byQueue[1] = append(byQueue[0], name), append(byQueue[1], count(q.Size))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Broken)) {
		byQueue[0], byQueue[1] = append(byQueue[0], plain.Name(name)+" (broken)"), append(byQueue[1], "?")
	}
	blocks := []struct {
		title string
		rows  [2][]string
	}{
		{"Task Count by State", byState},
		{"Task Count by Queue", byQueue},
		{"Daily Stats " + time.Now().UTC().Format(time.DateOnly) + " UTC", [2][]string{
			{"processed", "failed", "error rate"}, {count(s.Processed), count(s.Failed), quantity.Percent(s.ErrorRate)},
		}},
		{"Storage" + strings.TrimRight(": "+s.about.Kind+" "+s.about.Address, ": "), s.about.row()},
	}
	for n, block := range blocks {
		if n > 0 {
			if err := a.Print(""); err != nil {
				return err
			}
		}
		if err := a.Print("%s", output.Heading(&a.Printer, block.title)); err != nil {
			return err
		}
		if err := output.Row(&a.Printer, block.rows[0], block.rows[1]); err != nil {
			return err
		}
	}
	return nil
}

// stateOrder is the order in which states are shown.
var stateOrder = []task.State{task.Active, task.Pending, task.Aggregating, task.Scheduled, task.Retry, task.Archived, task.Completed}

package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
)

// serverCommand returns what can be done with servers.
func (a *app) serverCommand() *cobra.Command {
	return noun("server", "Look at the processes that run tasks",
		&cobra.Command{
			Use:     "ls [QUERY...]",
			Aliases: []string{"list"},
			Short:   "List the servers that are alive, or those that a query names",
			Example: "leat server ls\nleat server ls state:stopped\nleat server ls -o wide",
			RunE:    func(c *cobra.Command, args []string) error { return a.listServers(c.Context(), args) },
		},
		&cobra.Command{
			Use:     "inspect SERVER...",
			Short:   "Show what servers are running; a server is named by its id, HOST:PID or HOST",
			Example: "leat server inspect web-1:4711\nleat server ls -o id | leat server inspect -",
			RunE:    func(c *cobra.Command, args []string) error { return a.inspectServers(c.Context(), args) },
		},
	)
}

var serverTable = output.Table[view.Server]{
	ID:    func(s view.Server) string { return s.ID },
	Empty: "No servers.",
	Columns: []output.Column[view.Server]{
		{Name: "Host", Cell: func(s view.Server) string { return plain.Name(s.Host) }},
		{Name: "PID", Cell: func(s view.Server) string { return count(s.PID) }},
		{Name: "State", Cell: func(s view.Server) string { return s.State }, State: true},
		{Name: "Active Workers", Cell: activeWorkers},
		{Name: "Queues", Cell: servedQueues, Loose: true},
		{Name: "Started", Cell: func(s view.Server) string { return quantity.Time(s.StartedAt) }},
		{Name: "ID", Cell: func(s view.Server) string { return plain.Name(s.ID) }, Wide: true},
	},
}

func activeWorkers(s view.Server) string { return fmt.Sprintf("%d/%d", s.Running, s.Concurrency) }

// servedQueues returns "critical:6 default:3", the highest priority first.
func servedQueues(s view.Server) string {
	names := sortedKeys(s.Queues)
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(s.Queues[y], s.Queues[x]) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s:%d", name, s.Queues[name])
	}
	text := plain.Name(strings.Join(names, " "))
	if s.Strict {
		text += " (strict)"
	}
	return text
}

// servers returns the servers that are alive, in order of host and process.
func (a *app) servers(ctx context.Context) ([]broker.Server, error) {
	i, err := a.inspector(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	all, err := i.Servers(ctx)
	slices.SortFunc(all, func(x, y broker.Server) int {
		return cmp.Or(cmp.Compare(x.Host, y.Host), cmp.Compare(x.PID, y.PID), cmp.Compare(x.ID, y.ID))
	})
	return all, err
}

func (a *app) listServers(ctx context.Context, args []string) error {
	q, err := query.Servers.Parse(strings.Join(args, " "))
	if err != nil {
		return err
	}
	all, err := a.servers(ctx)
	if err != nil {
		return err
	}
	now, shown := time.Now(), []view.Server{}
	for _, s := range all {
		if q.Match(now, s) {
			shown = append(shown, view.ServerOf(now, s))
		}
	}
	return output.List(&a.Printer, serverTable, shown)
}

func (a *app) inspectServers(ctx context.Context, args []string) error {
	names, err := a.names("server", args)
	if err != nil {
		return err
	}
	all, err := a.servers(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	return showEach(a, names, len(args) == 1 && args[0] != "-", a.serverRecord(), func(name string) (view.Server, error) {
		for _, is := range []func(broker.Server) bool{
			func(s broker.Server) bool { return s.ID == name || fmt.Sprintf("%s:%d", s.Host, s.PID) == name },
			func(s broker.Server) bool { return s.Host == name },
		} {
			switch found := slices.DeleteFunc(slices.Clone(all), func(s broker.Server) bool { return !is(s) }); len(found) {
			case 0:
			case 1:
				return view.ServerOf(now, found[0]), nil
			default:
				return view.Server{}, usage(errors.New("several servers are named " + name + "; say HOST:PID or the id"))
			}
		}
		return view.Server{}, coded{fmt.Errorf("there is no server %s", name), fs.ErrNotExist}
	})
}

var workerTable = output.Table[view.Worker]{
	Columns: []output.Column[view.Worker]{
		{Name: "ID", Cell: func(w view.Worker) string { return plain.Name(w.ID) }},
		{Name: "Type", Cell: func(w view.Worker) string { return plain.Name(w.Type) }},
		{Name: "Queue", Cell: func(w view.Worker) string { return plain.Name(w.Queue) }},
		{Name: "Started", Cell: func(w view.Worker) string { return quantity.Time(w.StartedAt) }},
		{Name: "Elapsed", Cell: func(w view.Worker) string { return quantity.Seconds(w.RunsSeconds) }},
		{Name: "Deadline", Cell: func(w view.Worker) string { return quantity.Time(w.Deadline) }},
	},
}

// serverRecord shows a server and, in a table within, what it is running.
func (a *app) serverRecord() output.Record[view.Server] {
	return output.Record[view.Server]{
		ID: serverTable.ID,
		Fields: []output.Field[view.Server]{
			{Name: "Host", Text: func(s view.Server) string { return plain.Name(s.Host) }},
			{Name: "PID", Text: func(s view.Server) string { return count(s.PID) }},
			{Name: "ID", Text: func(s view.Server) string { return plain.Name(s.ID) }},
			{Name: "State", Text: func(s view.Server) string { return s.State }},
			{Name: "Active Workers", Text: activeWorkers},
			{Name: "Queues", Text: servedQueues},
			{Name: "Started", Text: func(s view.Server) string { return quantity.Time(s.StartedAt) }},
			{Name: "Running", Text: func(s view.Server) string {
				var b strings.Builder
				within := output.Printer{Out: &b, Err: &b, Format: output.Wide}
				if len(s.Workers) == 0 || output.List(&within, workerTable, s.Workers) != nil {
					return "nothing"
				}
				return b.String()
			}},
		},
	}
}

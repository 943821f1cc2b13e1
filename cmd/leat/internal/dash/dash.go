package dash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How often what is shown is asked for anew.
const (
	DefaultRefresh = 2 * time.Second
	MinRefresh     = 250 * time.Millisecond
)

// Options say what the dashboard shows.
type Options struct {
	Broker  broker.Broker
	Address string // of the storage, as it is shown: without a password
	Refresh time.Duration
	Timeout time.Duration // that the storage has for an answer
	Queue   string        // to begin with; "": with all
	NoColor bool
	By      string // who does what is done here, for the history of periodic entries
}

// Check returns what makes no sense in o.
func (o Options) Check() error {
	if o.Refresh < MinRefresh {
		return task.Invalid("--refresh", o.Refresh.String(), "must be at least "+MinRefresh.String())
	}
	return nil
}

// Run shows the dashboard on a terminal until its user leaves it or ctx ends. A queue
// to begin with that does not exist is an error that matches [queue.ErrQueueNotFound].
func Run(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Queue != "" {
		if _, err := queue.NewInspector(o.Broker).QueueInfo(ctx, o.Queue); err != nil {
			return fmt.Errorf("queue %s: %w", o.Queue, err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out)}
	if o.NoColor {
		options = append(options, tea.WithEnvironment(append(os.Environ(), "NO_COLOR=1")))
	}
	_, err := tea.NewProgram(newApp(ctx, o), options...).Run()
	if errors.Is(err, tea.ErrInterrupted) || ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) {
		return nil
	}
	return err
}

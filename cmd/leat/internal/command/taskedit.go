package command

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

func (a *app) taskRescheduleCommand() *cobra.Command {
	var n taskNaming
	var when moment
	c := &cobra.Command{
		Use:     "reschedule [QUEUE/]ID... (--at TIME | --in DURATION)",
		Short:   "Have tasks run at another time",
		Long:    "Have tasks run at another time, or now if that has passed. Tasks that a worker is running\ncannot be put off.\n\n" + taskNamingHelp,
		Example: "leat task reschedule mail/4f1c --in 2h\nleat task reschedule mail/4f1c --at 2030-01-31T08:00:00Z",
		RunE: func(c *cobra.Command, args []string) error {
			at, err := when.time(time.Now())
			if err != nil {
				return err
			}
			later := func(i *queue.Inspector, ctx context.Context, queue, id string) error {
				return i.Reschedule(ctx, queue, id, at)
			}
			return a.eachTask(c.Context(), &n, args, "task %s is to be run at "+at.Local().Format(time.DateTime), later)
		},
	}
	n.flags(c)
	c.Flags().StringVar(&when.at, "at", "", "when, as 2030-01-31T08:00:00Z, or a day: 2030-01-31")
	c.Flags().DurationVar(&when.in, "in", 0, "in how long")
	c.MarkFlagsMutuallyExclusive("at", "in")
	c.MarkFlagsOneRequired("at", "in")
	return c
}

// A moment is when something is to be, as flags say it.
type moment struct {
	at string
	in time.Duration
}

func (m moment) time(now time.Time) (time.Time, error) {
	if m.at == "" {
		return now.Add(m.in), nil
	}
	return parseTime("--at", m.at)
}

// parseTime reads a time, or the beginning of a day where the user is.
func parseTime(flag, text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	return time.Time{}, task.Invalid(flag, text, "is no time such as 2030-01-31T08:00:00Z or 2030-01-31")
}

func (a *app) taskEditCommand() *cobra.Command {
	var n taskNaming
	var p payloadFlags
	c := &cobra.Command{
		Use:     "edit [QUEUE/]ID (--payload TEXT | --payload-file FILE)",
		Short:   "Replace the payload of a task that waits",
		Long:    "Replace the payload of a task that waits. Everything else about it stays as it is: its place,\nits time, and what it is unique by.",
		Example: "leat task edit mail/4f1c --payload '{\"user\":7}'\njq .to=7 message.json | leat task edit mail/4f1c --payload-file -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if args = append(args, n.ids...); len(args) != 1 {
				return usage(errors.New("one task must be named"))
			}
			payload, err := p.read(a.in)
			if err != nil {
				return err
			}
			edit := func(i *queue.Inspector, ctx context.Context, queue, id string) error {
				return i.EditPayload(ctx, queue, id, payload)
			}
			return a.eachTask(c.Context(), &n, args, "task %s has another payload", edit)
		},
	}
	n.flags(c)
	p.flags(c)
	c.MarkFlagsOneRequired("payload", "payload-file")
	return c
}

// payloadFlags are how a payload is given.
type payloadFlags struct{ text, file string }

func (p *payloadFlags) flags(c *cobra.Command) {
	c.Flags().StringVarP(&p.text, "payload", "l", "", "the payload")
	c.Flags().StringVar(&p.file, "payload-file", "", "a file that holds the payload; - is the standard input")
	c.MarkFlagsMutuallyExclusive("payload", "payload-file")
}

func (p *payloadFlags) read(in io.Reader) ([]byte, error) {
	switch p.file {
	case "":
		return []byte(p.text), nil
	case "-":
		return io.ReadAll(in)
	default:
		return os.ReadFile(p.file)
	}
}

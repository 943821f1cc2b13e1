package stock

import (
	"context"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// schedule stores periodic entries, one of which is paused.
func schedule(ctx context.Context, b broker.Broker) error {
	i := periodic.NewInspector(b)
	for _, e := range []periodic.Entry{
		{Name: "accounts-report", Schedule: "0 6 1 * *", Zone: "Europe/Berlin", Type: export.typ, Options: []task.Option{task.Queue("reports")}},
		{Name: "nightly-digest", Schedule: "30 2 * * *", Zone: "Europe/Berlin", Type: digest.typ, Options: []task.Option{task.Queue("mail")}},
		{Name: "sweep", Schedule: "@every 12h", Type: visit.typ},
	} {
		if err := i.Add(ctx, e, "ann"); err != nil {
			return err
		}
	}
	return i.Pause(ctx, "accounts-report", "ann", "until the new accounts are there")
}

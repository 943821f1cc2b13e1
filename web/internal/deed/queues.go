package deed

import (
	"context"

	"github.com/leatwork/leat/web/access"
)

var table = []Deed{
	{
		Kind: Queue, Name: "pause", Label: "Pause", Role: access.Operator,
		Help: "No server takes tasks from the queue until it is resumed.",
		do: func(ctx context.Context, d *Doer, _ access.Identity, t Target, _ map[string]string) (string, error) {
			_, err := d.Storage.Inspector.Pause(ctx, t.Queue)
			return "queue " + t.Queue + " is paused", err
		},
	},
	{
		Kind: Queue, Name: "resume", Label: "Resume", Role: access.Operator,
		Help: "Servers take tasks from the queue again.",
		do: func(ctx context.Context, d *Doer, _ access.Identity, t Target, _ map[string]string) (string, error) {
			_, err := d.Storage.Inspector.Resume(ctx, t.Queue)
			return "queue " + t.Queue + " goes on", err
		},
	},
}

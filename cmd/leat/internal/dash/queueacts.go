package dash

import (
	"context"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
)

// queueActions returns what is done to the queue that which names, with its size.
func (a *app) queueActions(which func() (name string, size int, ok bool), isPaused func() bool) []binding {
	return []binding{
		on("P", "pause the queue, or resume it", "pause", func() {
			if name, _, ok := which(); ok {
				a.pauseQueue(name, isPaused())
			}
		}),
		on("X", "remove the queue with all its tasks", "", func() {
			if name, size, ok := which(); ok {
				a.removeQueue(name, size)
			}
		}),
	}
}

// pauseQueue pauses a queue, or resumes one that is paused.
func (a *app) pauseQueue(name string, paused bool) {
	title, line := "Pause "+name, "No task of queue "+name+" is begun until it is resumed. Those that are being run go on."
	call := func(ctx context.Context, name string) (bool, error) { return a.inspector.PauseBy(ctx, name, a.By, "") }
	result := "queue " + name + " is paused"
	if paused {
		title, line = "Resume "+name, "Tasks of queue "+name+" are begun again."
		call, result = a.inspector.Resume, "queue "+name+" is resumed"
	}
	a.confirm(title, []string{line}, "", func() {
		a.do(title, 1, func(ctx context.Context, _ *deed) (string, error) {
			if _, err := call(ctx, name); err != nil {
				return "", err
			}
			return result, nil
		})
	})
}

// removeQueue removes a queue and its tasks.
func (a *app) removeQueue(name string, size int) {
	lines := []string{"Queue " + name + " is removed, with " + quantity.Many(size, "task") + " in all its states, for good."}
	a.confirm("Remove "+name, lines, name, func() {
		a.do("remove "+name, 1, func(ctx context.Context, _ *deed) (string, error) {
			if err := a.inspector.RemoveQueue(ctx, name, true); err != nil {
				return "", err
			}
			return "queue " + name + " is removed", nil
		})
	})
}

// plainCut returns s, harmless and at most w cells wide.
func plainCut(s string, w int) string { return plain.Cut(plain.Name(s), w) }

package command

import (
	"errors"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/drawing"
	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/view"
)

// likeStates are the states that what is drawn has the colours of.
var likeStates = map[drawing.Class]string{
	drawing.Waiting: "waiting", drawing.Running: "running", drawing.Retrying: "retry", drawing.Paused: "paused",
	drawing.Done: "done", drawing.Failed: "failed", drawing.Skipped: "skipped", drawing.Cancelled: "cancelled",
}

// draw writes a picture.
func (a *app) draw(p drawing.Picture) error {
	for _, line := range p.Lines(func(text string, like drawing.Cell) string {
		if like.Class == drawing.Line || like.Class == drawing.Dim {
			return output.Faint(&a.Printer, text)
		}
		return output.Like(&a.Printer, likeStates[like.Class], text)
	}) {
		if err := a.Print("%s", line); err != nil {
			return err
		}
	}
	return nil
}

// drawGraph draws what waits for what in a run. Unless that is all that is wanted, one that
// is wider than the terminal, or of no workflow's shape, is left out; drawn tells.
func (a *app) drawGraph(r view.Run, ascii, wanted bool) (drawn bool, err error) {
	p, err := drawing.Graph(r, drawing.Options{Width: a.Width, ASCII: ascii})
	var odd *layout.GraphError
	switch {
	case errors.As(err, &odd) && !wanted:
		return false, nil
	case err != nil:
		return false, err
	case !wanted && (a.Width > 0 && p.Width > a.Width || p.Height == 0):
		return false, nil
	}
	return true, a.draw(p)
}

// drawGantt draws when the steps of a run ran.
func (a *app) drawGantt(r view.Run, now time.Time, ascii bool) error {
	return a.draw(drawing.Gantt(r, now, drawing.Options{Width: a.Width, ASCII: ascii}))
}

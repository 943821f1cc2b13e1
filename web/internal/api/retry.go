package api

import (
	"context"

	"github.com/leatwork/leat/web/internal/deed"
)

func retryRoutes() []route {
	return []route{
		get("/run/preview", "runs", "What a retry of a run would run, as the run stands: nothing is changed.", []param{
			queueParam, idParam,
			{name: "deed", help: "which retry", kind: text, def: deed.RetryDeeds[0], words: deed.RetryDeeds},
			{name: "step", help: "of retry-from: the step from which on it runs again", kind: text},
		}, previewRetry),
	}
}

// A Retry is what a retry of a run would do.
type Retry struct {
	Deed   string   `json:"deed"` // what is to be sent to /run for it
	Step   string   `json:"step,omitempty"`
	Again  []string `json:"again"`  // steps that would run, in the order of the workflow
	Partly []string `json:"partly"` // those of them of which what is done stays done
	Kept   []string `json:"kept"`   // steps that would not: what they have come to counts as it is
}

func previewRetry(ctx context.Context, a *api, r *request) (Retry, error) {
	p, err := deed.PreviewRetry(ctx, a.run(r), r.args["deed"], r.args["step"])
	if err != nil {
		return Retry{}, err
	}
	return Retry{r.args["deed"], r.args["step"], some(p.Again), some(p.Partly), some(p.Kept)}, nil
}

// some returns names as a list that is none if there are none.
func some(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}

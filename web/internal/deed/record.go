package deed

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/web/access"
)

// A Recorder is told what was done, and what was refused or has failed. It is called by
// several goroutines, with a context that does not end.
type Recorder interface {
	Record(ctx context.Context, r Record)
}

// A Record is something that somebody has done, or wanted to.
type Record struct {
	At      time.Time
	Who     access.Identity
	Deed    Deed
	Target  Target
	Targets int               // how many things it is about, if that is not the one Target
	Query   string            // of what was done to all that a query takes
	Args    map[string]string // of what is carried only how much it is
	Text    string            // what came of it
	Err     error             // nil: it was done
}

// record tells the recorder. What tasks, steps and signals carry is not told: it may be a
// secret.
func (d *Doer) record(ctx context.Context, r Record) {
	if d.Recorder == nil {
		return
	}
	r.Args = shown(r.Deed, r.Args)
	d.Recorder.Record(context.WithoutCancel(ctx), r)
}

// longestShown is how many bytes of an argument are told.
const longestShown = 200

// shown returns the arguments as others may see them: of what a task, a step or a signal
// carries only how much it is.
func shown(what Deed, args map[string]string) map[string]string {
	forms := map[string]Form{}
	for _, p := range what.Params {
		forms[p.Name] = p.Form
	}
	told := make(map[string]string, len(args))
	for name, text := range args {
		switch form := forms[name]; {
		case text == "":
		case form == JSON || form == Base64 || form == Lines:
			told[name] = fmt.Sprintf("(%d bytes)", len(text))
		default:
			told[name] = text[:min(len(text), longestShown)]
		}
	}
	return told
}

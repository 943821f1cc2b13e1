package deed

import (
	"context"
	"net/http"
	"time"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/problem"
)

// A Recorder is told what was done, and what was refused or has failed: an [audit.Log] is
// one. It is called by several goroutines.
type Recorder interface {
	Record(ctx context.Context, e audit.Entry)
}

// A record is something that somebody has done, or wanted to.
type record struct {
	at     time.Time
	who    access.Identity
	what   Deed
	target string
	args   map[string]string
	count  int
	err    error
}

// tell tells the recorder.
func (d *Doer) tell(ctx context.Context, r record) {
	if d.Recorder == nil {
		return
	}
	e := audit.Entry{
		At: r.at, By: r.who.Name, Role: r.who.Role, From: r.who.From, Deed: r.what.Name, Kind: string(r.what.Kind),
		Target: r.target, Args: shown(r.what, r.args), Count: r.count,
	}
	if r.err != nil {
		e.Err = faultShown(r.what, r.args, r.err)
	}
	d.Recorder.Record(ctx, e)
}

// log tells the logger what the storage said, if that is why something has failed.
func (d *Doer) log(ctx context.Context, what Deed, t Target, err error) {
	if d.Logger != nil && err != nil && problem.Of(err).Status >= http.StatusInternalServerError {
		d.Logger.ErrorContext(ctx, "a deed has failed", "kind", what.Kind, "deed", what.Name, "target", t.String(), "err", err)
	}
}

// mostNamed is how many bytes of names one entry has.
const mostNamed = 480

// tellMany tells what was done to several things: those to which it was done, and those
// that have failed in the same way, together, so that much at once does not drive out what
// was done before.
func (d *Doer) tellMany(ctx context.Context, r record, results []Result) {
	var ways []string
	sorted := map[string][]Result{}
	for _, one := range results {
		way := ""
		if one.Err != nil {
			way = one.Why()
			if len(sorted) > mostWays && sorted[way] == nil {
				way = "other"
			}
		}
		if sorted[way] == nil {
			ways = append(ways, way)
		}
		sorted[way] = append(sorted[way], one)
	}
	for _, way := range ways {
		r.err, r.target, r.count = sorted[way][0].Err, "", 0
		for _, one := range sorted[way] {
			name := one.Target.String()
			if r.count > 0 && len(r.target)+len(name) >= mostNamed {
				d.tell(ctx, r)
				r.target, r.count = "", 0
			}
			if r.count++; r.count > 1 {
				name = " " + name
			}
			r.target += name
		}
		d.tell(ctx, r)
	}
}

// mostWays is in how many ways several deeds may fail that are told each on its own.
const mostWays = 10

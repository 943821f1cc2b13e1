package health

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/leatwork/leat/queue"
)

// A Server is who knows how it is: a [queue.Server].
type Server interface{ Health() queue.Health }

// Limits say from when on something is wrong. The zero value is ready to use.
type Limits struct {
	FailedBeats int           // so many heartbeats in a row have failed: not ready. 0: 3, which is 15 seconds
	SweepLag    time.Duration // nothing was swept for that long after it was due: not ready. 0: 30 seconds
	Silence     time.Duration // nothing was heard of heartbeats or the sweeper for that long after its time: not alive. 0: 30 seconds
}

// Handler is [Limits.Handler] with the limits that have a zero.
func Handler(servers ...Server) http.Handler { return Limits{}.Handler(servers...) }

// Handler answers /livez and /readyz: 200 if all of servers, which are those of one process,
// are alive or ready, and otherwise 503. The body is JSON: ok, reasons, each of which is
// a sentence, and what is known of each server.
func (l Limits) Handler(servers ...Server) http.Handler {
	l = l.withDefaults()
	mux := http.NewServeMux()
	mux.Handle("GET /livez", probe(servers, l.dead))
	mux.Handle("GET /readyz", probe(servers, l.unready))
	return mux
}

func (l Limits) withDefaults() Limits {
	if l.FailedBeats <= 0 {
		l.FailedBeats = 3
	}
	if l.SweepLag <= 0 {
		l.SweepLag = 30 * time.Second
	}
	if l.Silence <= 0 {
		l.Silence = 30 * time.Second
	}
	return l
}

// dead returns why a process should be started anew.
func (l Limits) dead(h queue.Health) (reasons []string) {
	if h.State == "closed" {
		return []string{"it has ended"}
	}
	if h.Beat.Silent >= l.Silence {
		reasons = append(reasons, fmt.Sprintf("its heartbeat hangs: it should have ended %v ago", round(h.Beat.Silent)))
	}
	if h.Sweep.Silent >= l.Silence {
		reasons = append(reasons, fmt.Sprintf("its sweeper hangs: it should have ended %v ago", round(h.Sweep.Silent)))
	}
	return reasons
}

// unready returns why a server does not do its work.
func (l Limits) unready(h queue.Health) (reasons []string) {
	switch h.State {
	case "new":
		return []string{"it was not started"}
	case "stopped", "draining", "closed":
		return []string{"it takes no tasks: it is " + h.State}
	}
	switch {
	case h.Beat.Last.IsZero():
		reasons = append(reasons, "the storage has not answered yet"+because(h.Beat.Err))
	case h.Beat.Failed >= l.FailedBeats:
		reasons = append(reasons, fmt.Sprintf("%d heartbeats in a row have failed%s", h.Beat.Failed, because(h.Beat.Err)))
	case h.Beat.Silent >= l.Silence:
		reasons = append(reasons, fmt.Sprintf("its heartbeat hangs: it should have ended %v ago", round(h.Beat.Silent)))
	}
	if h.Sweep.Lag >= l.SweepLag {
		reasons = append(reasons, fmt.Sprintf("what time makes due was to be done %v ago, and was not%s", round(h.Sweep.Lag), because(h.Sweep.Err)))
	}
	return reasons
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }

// A report is the body of an answer to a probe.
type report struct {
	OK      bool           `json:"ok"`
	Reasons []string       `json:"reasons"`
	Servers []serverReport `json:"servers"`
}

type serverReport struct {
	ID          string    `json:"id"`
	State       string    `json:"state"`
	Started     time.Time `json:"started,omitzero"`
	Beat        pulse     `json:"beat"`
	Sweep       pulse     `json:"sweep"`
	Concurrency int       `json:"concurrency"`
	Running     int       `json:"running"`
}

type pulse struct {
	Last   time.Time `json:"last,omitzero"`
	Lag    float64   `json:"lag_seconds"`
	Failed int       `json:"failed"`
	Err    string    `json:"err,omitempty"`
}

func pulseOf(p queue.Pulse) pulse {
	made := pulse{Last: p.Last, Lag: p.Lag.Seconds(), Failed: p.Failed}
	if p.Err != nil {
		made.Err = p.Err.Error()
	}
	return made
}

// probe answers with what is wrong with servers.
func probe(servers []Server, wrong func(queue.Health) []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r := report{Reasons: []string{}, Servers: []serverReport{}}
		for _, s := range servers {
			h := s.Health()
			for _, reason := range wrong(h) {
				r.Reasons = append(r.Reasons, fmt.Sprintf("server %s: %s", h.ID, reason))
			}
			r.Servers = append(r.Servers, serverReport{
				ID: h.ID, State: h.State, Started: h.Started, Beat: pulseOf(h.Beat), Sweep: pulseOf(h.Sweep),
				Concurrency: h.Concurrency, Running: h.Running,
			})
		}
		r.OK = len(r.Reasons) == 0
		answer(w, r.OK, r)
	})
}

// answer writes body, and 503 unless all is well.
func answer(w http.ResponseWriter, ok bool, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Write(append(text, '\n')) //nolint:errcheck // whoever asked has gone
}

package command

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/queue/broker"
)

// exporter returns what answers Prometheus with the figures of a storage, under Leat's
// names and under asynq's, and with those of this process. What cannot be read is left
// out of the answer.
func exporter(b broker.Broker, log *slog.Logger) (http.Handler, error) {
	e := newExports(log)
	return e.handler(), e.add("", b)
}

// figuresPath is where they are.
const figuresPath = "/metrics"

// exports are the figures of storages, and of this process.
type exports struct {
	all *prometheus.Registry
	log *slog.Logger
}

// newExports returns those of this process.
func newExports(log *slog.Logger) *exports {
	e := &exports{all: prometheus.NewRegistry(), log: log}
	e.all.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return e
}

// add adds those of a storage, with a label that names its profile if it has one.
func (e *exports) add(profile string, b broker.Broker) error {
	figures, err := metrics.New(metrics.Config{Broker: b, Memory: true, Periodic: true, Asynq: true, Logger: e.log})
	if err != nil {
		return err
	}
	var to prometheus.Registerer = e.all
	if profile != "" {
		to = prometheus.WrapRegistererWith(prometheus.Labels{"profile": profile}, to)
	}
	return to.Register(figures)
}

func (e *exports) handler() http.Handler {
	return promhttp.HandlerFor(e.all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 10})
}

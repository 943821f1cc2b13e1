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
	figures, err := metrics.New(metrics.Config{Broker: b, Memory: true, Periodic: true, Asynq: true, Logger: log})
	if err != nil {
		return nil, err
	}
	all := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{figures, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := all.Register(c); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 10}), nil
}

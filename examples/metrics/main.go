// Metrics runs a worker that Prometheus scrapes, whose health a probe can ask for, and
// which an autoscaler finds enough to do for, or not.
//
//	go run ./examples/metrics                                   # in memory, on localhost:9464
//	go run ./examples/metrics -broker redis://localhost:6379/0
//	curl localhost:9464/metrics localhost:9464/readyz localhost:9464/scale
//
// The other files in this folder are for those who ask: Prometheus and Kubernetes.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/leatwork/leat/health"
	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

func main() {
	url := flag.String("broker", "sqlite::memory:", "where tasks are kept: "+brokerurl.Forms)
	listen := flag.String("listen", "localhost:9464", "where to answer")
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url, *listen); err != nil {
		log.Fatal(err)
	}
}

// run serves a queue, puts something into it every second, and tells how it goes.
func run(ctx context.Context, url, listen string) error {
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()

	figures, err := metrics.New(metrics.Config{Broker: b, Periodic: true})
	if err != nil {
		return err
	}
	prometheus.MustRegister(figures)
	srv, err := queue.NewServer(b, queue.Config{Concurrency: 4, Observer: figures.Observe})
	if err != nil {
		return err
	}
	figures.Watch(srv)
	client := queue.NewClient(b)
	client.Observer = figures.Observe
	clock := periodic.New(client, periodic.Config{})
	if err := clock.Register(periodic.Entry{Name: "tick", Schedule: "@every 1s", Type: "mail:send"}); err != nil {
		return err
	}

	http.Handle("/metrics", promhttp.Handler())
	http.Handle("/", health.Handler(srv)) // /livez and /readyz
	http.Handle("/scale", health.Scale(queue.NewInspector(b)))
	mux := task.NewMux()
	mux.HandleFunc("mail:send", send)
	// The last one is stopped first: while the server drains, probes are still answered.
	return queue.Run(ctx, web{listen}, srv.Serving(mux), clock)
}

func send(_ context.Context, _ *task.Task) error {
	if time.Sleep(time.Duration(rand.IntN(2000)) * time.Millisecond); rand.IntN(10) == 0 {
		return errors.New("the mail server is busy")
	}
	return nil
}

// web answers HTTP at an address until it is told to stop.
type web struct{ address string }

func (w web) Run(ctx context.Context) error {
	s := &http.Server{Addr: w.address, ReadHeaderTimeout: time.Second}
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Package metrics exports figures of queues, servers, runs and periodic entries to
// Prometheus.
//
//	figures, err := metrics.New(metrics.Config{Broker: b})
//	...
//	prometheus.MustRegister(figures)
//	client.Observer = figures.Observe
//	server, err := queue.NewServer(b, queue.Config{Observer: figures.Observe})
//	...
//	figures.Watch(server)
//
// There are two kinds of figures. Those of the process are counted as things happen in
// it, by [Metrics.Observe]: what was enqueued, how long tasks waited and ran, how they
// ended. Those of the storage are asked for at each scrape, if there is a Config.Broker:
// how many tasks are in each state, for how long the next one has waited. They are the
// same in every process that exports them, so they are not to be added up: take the
// max by (queue), or give a Broker to one process only.
//
// The guide, docs/metrics.md, has a table of all of them, and what to alert on.
//
// # What holds
//
// The number of series is bounded, whatever names tasks have: see Config.MaxNames.
// Nothing of a task but its queue and its type is exported.
//
// A scrape takes no longer than Config.Timeout. What cannot be read is left out of it,
// and counted by leat_scrape_errors_total; the rest is there. Several who scrape at once
// share what was asked of the storage.
package metrics

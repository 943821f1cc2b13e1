// Package health answers, over HTTP, those who look after a process: whether it lives,
// whether it does its work, and whether there should be more of its kind.
//
//	mux := http.NewServeMux()
//	mux.Handle("/", health.Handler(server)) // /livez and /readyz
//	mux.Handle("/scale", health.Scale(queue.NewInspector(broker)))
//
// # /livez and /readyz
//
// Both answer 200 or 503, with the reasons as JSON, out of what a server knows of
// itself ([queue.Server.Health]): a probe takes no trip to the storage, and is answered as
// fast when the storage hangs as when it does not.
//
// A process lives as long as its heartbeats and its sweeper end at all, be it in vain:
// to start it anew does not bring back a storage that is away. It is ready when it takes
// tasks and the storage has answered, and not before it has answered its first heartbeat,
// nor after several heartbeats in a row have failed, when nothing was swept for long, nor
// once it was told to stop.
//
// # /scale
//
// It tells how much there is to do in each queue, and in all together, for each task that
// servers can run at once: see [queue.Load]. That is asked of the storage, once a second at
// most.
package health

// Package tracing makes OpenTelemetry spans of what happens to tasks, ticks and runs, across
// all processes that have to do with them, and measures it. It is the only package that
// imports OpenTelemetry.
//
//	exporter, err := autoexport.NewSpanExporter(ctx) // as OTEL_… say: go.opentelemetry.io/contrib/exporters/autoexport
//	...
//	provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithBatcher(exporter))...)
//	defer provider.Shutdown(ctx) // with a deadline, and after the servers have ended
//	tracer, err := tracing.New(tracing.Config{TracerProvider: provider})
//	...
//	client.Tracer = tracer
//	server, err := queue.NewServer(broker, queue.Config{Tracer: tracer, Client: client})
//
// That is all: workflows, groups and schedulers find the tracer in their client or server,
// and an [queue.Inspector] has a field for it, too. Whoever has none pays nothing.
//
// # What there is to see
//
// A task is one tree, whichever processes it goes through:
//
//	POST /orders                  yours, in the process that enqueues
//	└─ send default               ends when the task is stored
//	   └─ task mail:welcome       from then until the end of the task, over all attempts
//	      ├─ wait default         until a worker takes it; leat.wait.reason says for what
//	      ├─ process default      an attempt: its context is the handler's
//	      │  └─ SELECT users      yours
//	      ├─ wait default         leat.wait.reason=retry
//	      └─ process default      the next attempt, with a link to the one before
//
// A task that is due later than [Config].Delay has a trace of its own, with links both ways;
// so has one that is run again by hand after its end. A task whose headers bear the context
// of another program, as users of asynq put it there, hangs below that; one that nobody has
// traced begins a trace.
//
// A run of a workflow is a trace of its own, unless it is [Config].Joined: a span that
// covers it, below it one for each step as for a task, whose attempts are linked to what
// handed them on; waits for signals and timers; what is sent to the run. A run within a run
// is in the same trace. The tasks of a batch keep theirs, and the batch has one, with links
// from and to each; a tick is a trace, in which its task is.
//
// A span that covers a task or a run is exported when that ends, by whoever ends it: until
// then a viewer shows what is below it without a parent. An attempt whose worker died is
// exported by the next one, with error.type worker_lost. Nothing else is exported twice or
// left out, whatever dies, as long as the spans of the living reach their collector: what a
// process has not exported yet dies with it, so let it be little (OTEL_BSP_SCHEDULE_DELAY).
//
// # What is decided once
//
// Whether a trace is sampled is decided as it begins, by the sampler given to
// [ProviderOptions], or by the caller's span. It travels with the task: all processes heed
// it, whatever their own samplers say. Of what is not sampled, no span is made, but its
// context goes on, so that logs can tell it ([LogHandler]). Samplers should be of
// [sdktrace.ParentBased].
//
// # What is never told
//
// Spans and measurements have names, ids, times, counts and types of errors: never a
// payload, a result, a header, or the text of an error, unless [Config].ErrorText is set. What
// a client for Redis or SQL traces on its own is another matter: go-redis's redisotel writes
// every argument of every command into its spans unless told not to, so do not let it
// see the connection that tasks are kept over.
//
// Baggage of up to 1 KiB travels along in the headers of tasks, where dashboards show it. To
// leave it out, set [Config].Propagator to [propagation.TraceContext].
//
// # Limits
//
// A task that is archived or cancelled by hand while it waits has ended, as far as its trace
// goes: if it is run by hand after that, its spans come below a parent that ended before, and
// that is exported once more. One that is ended by hand with no tracer at the inspector, or
// many at a time, leaves what was exported without a parent, and so does a batch whose worker
// died. If leases of a task are lost in a row before it is first settled, and another program
// has traced it or it is a step, it is not known when the first of them began.
package tracing

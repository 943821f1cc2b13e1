package brokertest

import (
	"cmp"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var serverPromises = []promise{
	{"a server that beats is listed as it said", serverRoundTrip},
	{"a later beat replaces an earlier one", serverReplaced},
	{"a server is forgotten when it has not beaten for ServerTTL", serverForgotten},
	{"a server that has left is forgotten at once", serverGone},
	{"servers come in order of their ids", serverOrder},
	{"a broker that is open answers a ping", serverPing},
}

// server returns the record of a server that runs two entries.
func server(id string) broker.Server {
	now := time.Now()
	return broker.Server{
		ID: id, Host: "host-1.example", PID: 4711, Concurrency: 20,
		Queues: map[string]int{"critical": 6, "default": 3}, Strict: true,
		Status: "active", Started: now.Add(-time.Hour + time.Millisecond),
		Workers: []broker.Worker{
			{Entry: broker.EntryRef{Queue: "critical", ID: "a"}, Type: "mail", Payload: []byte("\x00\xff"), Started: now, Deadline: now.Add(time.Minute)},
			{Entry: broker.EntryRef{Queue: "default", ID: "b"}, Type: "sms", Started: now.Add(time.Millisecond), Deadline: now.Add(time.Hour)},
		},
	}
}

func (x *trial) beat(s broker.Server) {
	x.Helper()
	if err := x.b.Beat(x.Context(), time.Now(), s); err != nil {
		x.Fatalf("Beat() = %v, want nil", err)
	}
}

// servers returns the servers that are alive, their workers in order.
func (x *trial) servers() []broker.Server {
	x.Helper()
	alive, err := x.b.Servers(x.Context(), time.Now())
	if err != nil {
		x.Fatalf("Servers() = %v, want nil", err)
	}
	for _, s := range alive {
		slices.SortFunc(s.Workers, func(a, b broker.Worker) int { return cmp.Compare(a.Entry.String(), b.Entry.String()) })
	}
	return alive
}

func serverRoundTrip(x *trial) {
	equal(x, "servers at first", x.servers(), nil)
	s := server("2f7c9b4e-0000-4000-8000-000000000001")
	x.beat(s)
	equal(x, "servers", x.servers(), []broker.Server{s})
	idle := broker.Server{ID: "2f7c9b4e-0000-4000-8000-000000000002", Host: "h", PID: 1, Concurrency: 1, Queues: map[string]int{"q": 1}, Status: "stopped", Started: time.Now()}
	x.beat(idle)
	equal(x, "servers", x.servers(), []broker.Server{s, idle})
}

func serverReplaced(x *trial) {
	s := server("s")
	x.beat(s)
	s.Status, s.Workers = "stopped", s.Workers[1:]
	x.beat(s)
	equal(x, "servers", x.servers(), []broker.Server{s})
	s.Workers = nil
	x.beat(s)
	equal(x, "servers when idle", x.servers(), []broker.Server{s})
}

func serverForgotten(x *trial) {
	a, b := server("a"), server("b")
	x.beat(a)
	x.beat(b)
	x.pass(broker.ServerTTL / 2)
	x.beat(b)
	x.pass(broker.ServerTTL/2 + time.Second)
	equal(x, "servers when one has fallen silent", x.servers(), []broker.Server{b})
	x.pass(broker.ServerTTL/2 + time.Second)
	equal(x, "servers when both have", x.servers(), nil)
	x.beat(a)
	equal(x, "servers when one is back", x.servers(), []broker.Server{a})
}

func serverGone(x *trial) {
	a, b := server("a"), server("b")
	x.beat(a)
	x.beat(b)
	b.Gone = true
	x.beat(b)
	x.beat(b)
	equal(x, "servers", x.servers(), []broker.Server{a})
}

func serverOrder(x *trial) {
	var want []broker.Server
	for _, id := range []string{"b", "c", "B", "a"} {
		x.beat(server(id))
	}
	for _, id := range []string{"B", "a", "b", "c"} {
		want = append(want, server(id))
	}
	equal(x, "servers", x.servers(), want)
}

func serverPing(x *trial) {
	if err := x.b.Ping(x.Context()); err != nil {
		x.Errorf("Ping() = %v, want nil", err)
	}
}

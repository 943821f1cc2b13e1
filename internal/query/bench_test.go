package query_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// BenchmarkSearch looks at 100,000 scheduled tasks on Redis for one that there is not, by
// what costs least, and by what is in their payloads: 5,000 where these are large.
func BenchmarkSearch(b *testing.B) {
	for _, size := range []int{100, 10_000} {
		tasks := 100_000
		if size > 1000 {
			tasks /= 20
		}
		r := openRedis(b)
		defer r.Close()
		scheduleMany(b, r, tasks, size)
		for _, text := range []string{"error:none", "payload.user.id:none", "payload~nowhere"} {
			b.Run(fmt.Sprintf("%dB/%s", size, text), func(b *testing.B) {
				q := parse(b, text)
				looked := 0
				for b.Loop() {
					s := &query.Search{Inspector: queue.NewInspector(r), Query: q}
					for done := false; !done; {
						found, err := s.Next(b.Context(), 100, 5000)
						if err != nil {
							b.Fatal(err)
						}
						if done = found.Done; done {
							looked += found.Scanned
						}
					}
				}
				b.ReportMetric(float64(looked)/b.Elapsed().Seconds(), "tasks/s")
			})
		}
	}
}

func scheduleMany(b *testing.B, r broker.Broker, tasks, size int) {
	body := strings.Repeat("x", size)
	for n := 0; n < tasks; n += 500 {
		var c broker.Change
		for i := n; i < n+500; i++ {
			c.Enqueue = append(c.Enqueue, broker.Entry{
				EntryRef: broker.EntryRef{Queue: "mail", ID: fmt.Sprintf("t%07d", i)}, Type: "email:welcome",
				Payload: fmt.Appendf(nil, `{"user": {"id": %d}, "body": %q}`, i, body), DueAt: time.Now().Add(time.Hour),
			})
		}
		apply(b, r, c, broker.LeaseRequest{})
	}
}

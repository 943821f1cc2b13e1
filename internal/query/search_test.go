package query_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// eachBroker runs f with every kind of storage, in which there are tasks in all states.
func eachBroker(t *testing.T, f func(t *testing.T, b broker.Broker)) {
	for name, open := range map[string]func(t *testing.T) broker.Broker{
		"model":  func(*testing.T) broker.Broker { return model.New(model.Options{}) },
		"sqlite": func(t *testing.T) broker.Broker { return opened(t)(sqlitebroker.Open(":memory:", nil)) },
		"redis":  func(t *testing.T) broker.Broker { return openRedis(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			t.Cleanup(func() { _ = b.Close() })
			fill(t, b)
			f(t, b)
		})
	}
}

func openRedis(t testing.TB) broker.Broker {
	b, err := redisbroker.Open(redistest.Shared(t).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opened(t *testing.T) func(b *sqlitebroker.Broker, err error) broker.Broker {
	return func(b *sqlitebroker.Broker, err error) broker.Broker {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// perPlace is how many tasks are in each state of each queue.
const perPlace = 13

// fill puts tasks into every state of two queues.
func fill(t testing.TB, b broker.Broker) {
	now := time.Now()
	for _, q := range []string{"low", "mail"} {
		for name, to := range map[string]broker.Outcome{"retry": broker.Retry, "archived": broker.Archived, "completed": broker.Completed, "active": 0} {
			add(t, b, q, name, func(*broker.Entry) {})
			settle(t, b, q, to)
		}
		add(t, b, q, "pending", func(*broker.Entry) {})
		add(t, b, q, "scheduled", func(e *broker.Entry) { e.DueAt = now.Add(time.Hour) })
		for _, g := range []string{"one", "two"} {
			add(t, b, q, g, func(e *broker.Entry) { e.Group = g })
		}
	}
}

func add(t testing.TB, b broker.Broker, q, name string, more func(*broker.Entry)) {
	t.Helper()
	var c broker.Change
	for n := range perPlace {
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: q, ID: fmt.Sprintf("%s-%02d", name, n)}, Type: fmt.Sprintf("type:%d", n%3), Payload: fmt.Appendf(nil, `{"n": %d}`, n), MaxRetry: 3, Retention: time.Hour}
		more(&e)
		c.Enqueue = append(c.Enqueue, e)
	}
	apply(t, b, c, broker.LeaseRequest{})
}

// settle leases the tasks of q, and ends the leases with an outcome unless that is 0.
func settle(t testing.TB, b broker.Broker, q string, to broker.Outcome) {
	t.Helper()
	now := time.Now()
	leases := apply(t, b, broker.Change{}, broker.LeaseRequest{Queues: []broker.Share{{Queue: q, First: perPlace}}, Max: perPlace, Until: now.Add(time.Hour)})
	if len(leases) != perPlace {
		t.Fatalf("leased %d tasks of %s, want %d", len(leases), q, perPlace)
	}
	if to == 0 {
		return
	}
	var c broker.Change
	for _, l := range leases {
		e := l.Entry
		switch to {
		case broker.Completed:
			e.CompletedAt = now
		default:
			e.LastErr, e.LastFailedAt = "refused by "+q, now.Add(-3*time.Hour)
		}
		c.Settle = append(c.Settle, broker.Settlement{Token: l.Token, Entry: e, To: to, At: now.Add(time.Hour)})
	}
	apply(t, b, c, broker.LeaseRequest{})
}

func apply(t testing.TB, b broker.Broker, c broker.Change, want broker.LeaseRequest) []broker.Lease {
	t.Helper()
	done, err := b.Apply(t.Context(), time.Now(), []broker.Change{c}, want)
	if err = errors.Join(append(done.Outcomes, err)...); err != nil {
		t.Fatal(err)
	}
	return done.Leases
}

// all returns every task, in the order of a search.
func all(t *testing.T, i *queue.Inspector, newest bool) []*task.Info {
	t.Helper()
	var tasks []*task.Info
	for _, state := range []task.State{task.Active, task.Pending, task.Retry, task.Scheduled, task.Archived, task.Aggregating, task.Completed} {
		for _, q := range []string{"low", "mail"} {
			groups := []string{""}
			if state == task.Aggregating {
				groups = []string{"one", "two"}
			}
			for _, g := range groups {
				page, err := i.List(t.Context(), queue.ListQuery{Queue: q, State: state, Group: g, Newest: newest, Limit: queue.MaxPage})
				if err != nil {
					t.Fatal(err)
				}
				tasks = append(tasks, page.Tasks...)
			}
		}
	}
	return tasks
}

func TestASearchTellsEachTaskOnceInOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		random := rand.New(rand.NewPCG(seed, 0))
		i := queue.NewInspector(b)
		for _, text := range []string{
			"", "type:type:1", "payload.n>6", "state:retry,active", "-state:completed queue:mail", "queue:m* payload.n<2", "group:one", "-group:one",
			"error~refused age>2h", "due>30m", "state:aggregating group:t*", "id:pending-03,retry-01", "id:*-01 type:type:1", "nothing-like-it", "queue:none", "state:retry state:active",
		} {
			for _, newest := range []bool{false, true} {
				q := parse(t, text)
				var want []string
				for _, task := range all(t, i, newest) {
					if q.Match(time.Now(), task) {
						want = append(want, task.Queue+"/"+task.ID)
					}
				}
				s := &query.Search{Inspector: i, Query: q, Newest: newest}
				got := walk(t, s, random)
				if q.Only("id") != nil { // which are looked up one by one
					slices.Sort(want)
					slices.Sort(got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q finds (-want +got, newest %v):\n%s", text, newest, diff)
				}
			}
		}
	})
}

// walk returns what s finds, in steps of any size.
func walk(t *testing.T, s *query.Search, random *rand.Rand) (found []string) {
	t.Helper()
	for scanned := 0; ; {
		most, budget := 1+random.IntN(20), 1+random.IntN(40)
		step, err := s.Next(t.Context(), most, budget)
		if err != nil {
			t.Fatal(err)
		}
		if len(step.Tasks) > most || s.Query.Only("id") == nil && step.Scanned > scanned+budget || step.Scanned > step.Total {
			t.Errorf("asked for %d of %d, it tells %d and has looked at %d more, %d of %d", most, budget, len(step.Tasks), step.Scanned-scanned, step.Scanned, step.Total)
		}
		scanned = step.Scanned
		for _, i := range step.Tasks {
			found = append(found, i.Queue+"/"+i.ID)
		}
		if step.Done {
			return found
		}
	}
}

func TestASearchLooksOnlyWhereTheQueryAllows(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		for text, want := range map[string]int{
			"":                                 16 * perPlace,
			"state:retry nothing":              2 * perPlace,
			"queue:mail nothing":               8 * perPlace,
			"-queue:mail -state:re* nothing":   7 * perPlace,
			"state:aggregating group:one":      2 * perPlace,
			"id:retry-01":                      2,
			"id:retry-01 queue:mail":           1,
			"id:gone":                          0,
			"queue:none":                       0,
			"state:retry state:pending,active": 0,
		} {
			s := &query.Search{Inspector: queue.NewInspector(b), Query: parse(t, text)}
			found, err := s.Next(t.Context(), 1000, 1000)
			if err != nil || found.Scanned != want || found.Total != want || !found.Done {
				t.Errorf("%q looks at %d of %d, want %d (done: %v, %v)", text, found.Scanned, found.Total, want, found.Done, err)
			}
		}
	})
}

func TestASearchIsConfinedByItsFields(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		i := queue.NewInspector(b)
		s := &query.Search{Inspector: i, Query: parse(t, "payload.n:3"), Queues: []string{"mail"}, States: []task.State{task.Aggregating}, Group: "two"}
		found, err := s.Next(t.Context(), 10, 100)
		if err != nil || len(found.Tasks) != 1 || found.Tasks[0].ID != "two-03" {
			t.Errorf("found %+v (%v), want two-03 alone", found, err)
		}
		s = &query.Search{Inspector: i, Query: parse(t, "id:two-03,one-03"), Queues: []string{"mail"}, Group: "two"}
		if found, err := s.Next(t.Context(), 10, 100); err != nil || len(found.Tasks) != 1 {
			t.Errorf("found %+v (%v), want two-03 alone", found, err)
		}
		s = &query.Search{Inspector: i, Queues: []string{"none"}}
		if _, err := s.Next(t.Context(), 10, 100); !errors.Is(err, queue.ErrQueueNotFound) {
			t.Errorf("the error about a queue that there is not is %v", err)
		}
		if _, err := s.Next(t.Context(), 0, 100); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("the error about a search for nothing is %v", err)
		}
	})
}

func TestASearchThatWasCancelledGoesOn(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		s := &query.Search{Inspector: queue.NewInspector(b), Query: parse(t, "type:type:1")}
		first, err := s.Next(t.Context(), 3, 1000)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if found, err := s.Next(ctx, 1000, 1000); !errors.Is(err, context.Canceled) || found.Scanned < first.Scanned {
			t.Errorf("after its context has ended it says %+v, %v", found, err)
		}
		rest, err := s.Next(t.Context(), 1000, 1000)
		if err != nil || len(first.Tasks)+len(rest.Tasks) != 16*4 || !rest.Done {
			t.Errorf("found %d and %d (%v), want %d together", len(first.Tasks), len(rest.Tasks), err, 16*4)
		}
	})
}

func TestABulkDoesItToWhatTheSearchShows(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		i := queue.NewInspector(b)
		q := parse(t, "state:archived,aggregating type:type:* payload.n>6 -group:one")
		s := &query.Search{Inspector: i, Query: q}
		shown, err := s.Next(t.Context(), 1000, 1000)
		if err != nil {
			t.Fatal(err)
		}
		places, err := s.Places(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		deleted := 0
		for _, p := range places {
			r, err := i.Bulk(t.Context(), queue.BulkRequest{Queue: p.Queue, State: p.State, Group: p.Group, Do: broker.Delete, Filter: query.Filter(q.Without("queue", "state"))})
			if err != nil {
				t.Fatal(err)
			}
			deleted += r.Done
		}
		s = &query.Search{Inspector: i, Query: q}
		left, err := s.Next(t.Context(), 1000, 1000)
		if err != nil || deleted != len(shown.Tasks) || deleted != 2*2*6 || len(left.Tasks) != 0 {
			t.Errorf("%d were shown, %d deleted, %d are left (%v)", len(shown.Tasks), deleted, len(left.Tasks), err)
		}
	})
}

// A halfBroken broker has a queue whose figures cannot be read.
type halfBroken struct {
	broker.Broker
	queue string
}

var errDamaged = errors.New("damaged")

func (b halfBroken) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if len(queues) == 0 || slices.Contains(queues, b.queue) {
		return nil, errDamaged
	}
	return b.Broker.Counts(ctx, now, queues...)
}

func TestABrokenQueueKeepsNothingOfTheOthersSecret(t *testing.T) {
	m := model.New(model.Options{})
	fill(t, m)
	names, err := m.Queues(t.Context())
	if err != nil || len(names) < 2 {
		t.Fatalf("Queues() = %q, %v, want several", names, err)
	}
	bad := names[0]
	i := queue.NewInspector(halfBroken{m, bad})
	s := &query.Search{Inspector: i}
	found, err := s.Next(t.Context(), 10_000, 10_000)
	if err != nil || !found.Done || len(found.Tasks) == 0 {
		t.Fatalf("Next() = %d tasks, %v, want those of %q", len(found.Tasks), err, names[1:])
	}
	for _, task := range found.Tasks {
		if task.Queue == bad {
			t.Errorf("Next() tells of %s/%s, whose queue cannot be read", task.Queue, task.ID)
		}
	}
	if !errors.Is(s.Broken[bad], errDamaged) {
		t.Errorf("Broken = %v, want what is wrong with %s", s.Broken, bad)
	}
	named := &query.Search{Inspector: i, Queues: []string{bad}}
	if _, err := named.Next(t.Context(), 1, 1); !errors.Is(err, errDamaged) {
		t.Errorf("Next() in %s = %v, want what is wrong with it", bad, err)
	}
}

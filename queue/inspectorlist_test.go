package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var listPromises = []promise{
	{"pages follow one another by their cursor, in either order", func(x *inspection) {
		want := x.ten("q")
		for _, newest := range []bool{false, true} {
			q := queue.ListQuery{Queue: "q", State: task.Scheduled, Newest: newest, Limit: 4}
			var got []string
			var sizes []int
			for {
				page := x.page(q)
				got = append(got, ids(page)...)
				sizes = append(sizes, len(page.Tasks))
				if q.After = page.Next; page.Next == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				x.Errorf("newest %v: pages (-want +got):\n%s", newest, diff)
			}
			if diff := cmp.Diff([]int{4, 4, 2}, sizes); diff != "" {
				x.Errorf("newest %v: sizes of pages (-want +got):\n%s", newest, diff)
			}
			slices.Reverse(want)
		}
	}},
	{"the last page has no next one, even if it is full", func(x *inspection) {
		x.ten("q")
		if page := x.page(queue.ListQuery{Queue: "q", State: task.Scheduled, Limit: 10}); len(page.Tasks) != 10 || page.Next != "" {
			x.Errorf("got %d tasks, next page %q; want ten and none", len(page.Tasks), page.Next)
		}
	}},
	{"a cursor holds while tasks come and go", func(x *inspection) {
		all := x.ten("q")
		first := x.page(queue.ListQuery{Queue: "q", State: task.Scheduled, Limit: 3})
		for _, id := range []string{all[0], all[2], all[4]} {
			if err := x.i.Delete(x.Context(), "q", id); err != nil {
				x.Fatal(err)
			}
		}
		got := x.page(queue.ListQuery{Queue: "q", State: task.Scheduled, Limit: 3, After: first.Next})
		if diff := cmp.Diff([]string{all[3], all[5], all[6]}, ids(got)); diff != "" {
			x.Errorf("second page (-want +got):\n%s", diff)
		}
	}},
	{"pages have numbers, 0 and 1 being the first", func(x *inspection) {
		all := x.ten("q")
		for number, want := range [][]string{all[:4], all[:4], all[4:8], all[8:], nil} {
			got := x.page(queue.ListQuery{Queue: "q", State: task.Scheduled, Number: number, Limit: 4})
			if diff := cmp.Diff(want, ids(got)); diff != "" {
				x.Errorf("page %d (-want +got):\n%s", number, diff)
			}
		}
	}},
	{"a page has thirty tasks unless it is said how many", func(x *inspection) {
		for n := range 31 {
			x.enqueue(fmt.Sprint(n))
		}
		if got := x.page(queue.ListQuery{Queue: "default", State: task.Pending}); len(got.Tasks) != 30 || got.Next == "" {
			x.Errorf("got %d tasks, next page %q; want 30, and a next one", len(got.Tasks), got.Next)
		}
	}},
	{"a query that makes no sense is refused", func(x *inspection) {
		x.put("q", task.Pending)
		for name, q := range map[string]queue.ListQuery{
			"no queue":                   {State: task.Pending},
			"a bad queue":                {Queue: "a b", State: task.Pending},
			"no state":                   {Queue: "q"},
			"no group":                   {Queue: "q", State: task.Aggregating},
			"a group of another state":   {Queue: "q", State: task.Retry, Group: "g"},
			"too many":                   {Queue: "q", State: task.Pending, Limit: queue.MaxPage + 1},
			"fewer than none":            {Queue: "q", State: task.Pending, Limit: -1},
			"a negative number":          {Queue: "q", State: task.Pending, Number: -1},
			"a number behind the cursor": {Queue: "q", State: task.Pending, Number: 2, After: "x"},
		} {
			if _, err := x.i.List(x.Context(), q); !errors.Is(err, task.ErrInvalid) {
				x.Errorf("%s: List() = %v, want ErrInvalid", name, err)
			}
		}
	}},
	{"an empty state of a queue is an empty page", func(x *inspection) {
		x.put("q", task.Pending)
		if got := x.page(queue.ListQuery{Queue: "q", State: task.Retry}); len(got.Tasks) != 0 || got.Next != "" {
			x.Errorf("List() = %+v, want nothing", got)
		}
	}},
	{"a task is shown with what is known of it", func(x *inspection) {
		now := time.Now()
		x.put("q", task.States()...)
		for state, check := range map[task.State]func(*task.Info) bool{
			task.Pending:   func(i *task.Info) bool { return i.NextProcessAt.Equal(now) },
			task.Scheduled: func(i *task.Info) bool { return i.NextProcessAt.Equal(now.Add(time.Hour)) },
			task.Retry: func(i *task.Info) bool {
				return i.LastErr == "it broke: retry" && i.NextProcessAt.Equal(now.Add(time.Hour))
			},
			task.Active:      func(i *task.Info) bool { return !i.IsOrphaned },
			task.Completed:   func(i *task.Info) bool { return i.CompletedAt.Equal(now) },
			task.Archived:    func(i *task.Info) bool { return i.LastErr == "it broke: archived" && i.End == "" },
			task.Aggregating: func(i *task.Info) bool { return i.Group == "g" },
		} {
			got := x.task("q", state.String())
			if got.State != state || got.Queue != "q" || string(got.Payload) != state.String() || got.MaxRetry != 3 || !check(got) {
				x.Errorf("the one that is %s is shown as %+v", state, got)
			}
		}
		x.pass(11 * time.Second)
		if got := x.task("q", "active"); !got.IsOrphaned {
			x.Error("an active task whose lease has run out is not shown as orphaned")
		}
	}},
	{"a task is shown with its attempts", func(x *inspection) {
		x.enqueue("a")
		l := x.lease("default")
		s := broker.Settlement{Token: l.Token, Entry: l.Entry, To: broker.Retry, At: time.Now().Add(time.Hour), Failed: true,
			Attempt: &broker.Attempt{Ended: time.Now(), Worker: "host:1", Err: "oh"}}
		x.change(broker.Change{Settle: []broker.Settlement{s}})
		got := x.task("default", "a").Attempts
		if len(got) != 1 || got[0].Worker != "host:1" || got[0].Err != "oh" {
			x.Errorf("attempts are %+v, want the one that failed", got)
		}
	}},
	{"a task that is not there is not found", func(x *inspection) {
		x.put("q", task.Pending)
		_, err := x.i.Get(x.Context(), "q", "other")
		if !errors.Is(err, queue.ErrTaskNotFound) || errors.Is(err, queue.ErrQueueNotFound) {
			x.Errorf("Get() = %v, want ErrTaskNotFound, and not ErrQueueNotFound", err)
		}
		if _, err := x.i.Get(x.Context(), "none", "other"); !errors.Is(err, queue.ErrTaskNotFound) || !errors.Is(err, queue.ErrQueueNotFound) {
			x.Errorf("Get() = %v, want ErrTaskNotFound and ErrQueueNotFound", err)
		}
		if _, err := x.i.Get(x.Context(), "q", "a b"); !errors.Is(err, task.ErrInvalid) {
			x.Errorf("Get() = %v, want ErrInvalid", err)
		}
	}},
	{"a task is found by its id in whatever queue it is", func(x *inspection) {
		x.putOne("b", "id", task.Retry)
		x.putOne("a", "other", task.Pending)
		x.putOne("c", "id", task.Pending)
		got, err := x.i.Find(x.Context(), "id")
		if err != nil || len(got) != 2 || got[0].Queue != "b" || got[0].State != task.Retry || got[1].Queue != "c" {
			x.Errorf("Find() = %+v, %v; want those in b and c", got, err)
		}
		if _, err := x.i.Find(x.Context(), "none"); !errors.Is(err, queue.ErrTaskNotFound) {
			x.Errorf("Find() = %v, want ErrTaskNotFound", err)
		}
	}},
}

// ten schedules ten tasks, and returns their ids in order.
func (x *inspection) ten(queue string) []string {
	x.Helper()
	var all []string
	for n := range 10 {
		x.putOne(queue, fmt.Sprintf("%c", 'j'-n), task.Scheduled)
		all = append(all, fmt.Sprintf("%c", 'j'-n))
		x.pass(time.Millisecond)
	}
	return all
}

func (x *inspection) page(q queue.ListQuery) *queue.Page {
	x.Helper()
	page, err := x.i.List(x.Context(), q)
	if err != nil {
		x.Fatalf("List(%+v) = %v, want nil", q, err)
	}
	return page
}

func ids(page *queue.Page) (ids []string) {
	for _, info := range page.Tasks {
		ids = append(ids, info.ID)
	}
	return ids
}

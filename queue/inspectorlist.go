package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// How many tasks a page has.
const (
	DefaultPage = 30
	MaxPage     = 1000
)

// A ListQuery asks for a page of the tasks of one queue that are in one state.
// They come in this order:
//
//	pending      as they will be run
//	active       by the end of their lease: those that have no worker any more first
//	scheduled    by the time at which they are due
//	retry        by the time at which they are due
//	completed    by the time at which they will be deleted
//	archived     by the second in which they were archived
//	aggregating  by the second in which they were added to the group
//
// Ties go by id. Those of a group that are being folded are not among them.
type ListQuery struct {
	Queue string
	State task.State
	Group string // for aggregating, and only for that

	// Newest lists them in the reverse order.
	Newest bool

	// After is the [Page.Next] of a page that a query with the same Queue, State,
	// Group and Newest returned: the page begins behind that one, whatever came
	// or went meanwhile. Among pending tasks on Redis, which are kept in a list,
	// tasks may be told again.
	After string

	// Number is which page is wanted where After is not used; 0 and 1 are the
	// first. Finding the n-th takes as long as reading all before it.
	Number int

	Limit int // how many tasks; at most MaxPage. 0: DefaultPage
}

// A Page is some of the tasks that were asked for.
type Page struct {
	// Tasks are without their Attempts; see [Inspector.Get].
	Tasks []*task.Info

	// Next is where the next page begins, "" if there was none when this one was
	// read.
	Next string

	// Places are, of each of Tasks, where a page begins behind it: what
	// [ListQuery.After] may be.
	Places []string
}

// List returns a page of tasks. If there are none because there is no such queue,
// the error matches [ErrQueueNotFound]. It takes one trip, or two if the page is
// empty.
func (i *Inspector) List(ctx context.Context, q ListQuery) (*Page, error) {
	page, err := i.list(ctx, q)
	if err == nil && len(page.Tasks) == 0 && q.After == "" {
		err = i.exists(ctx, q.Queue)
	}
	if err != nil {
		return nil, fmt.Errorf("list %s of %s: %w", q.State, q.Queue, err)
	}
	return page, nil
}

func (i *Inspector) list(ctx context.Context, q ListQuery) (*Page, error) {
	limit := q.Limit
	if limit == 0 {
		limit = DefaultPage
	}
	if err := errors.Join(checkBroker(i.broker), q.check()); err != nil {
		return nil, err
	}
	found, err := i.broker.List(ctx, broker.ListRequest{
		Queue:  q.Queue,
		State:  q.State,
		Group:  q.Group,
		Newest: q.Newest,
		After:  q.After,
		Offset: max(q.Number-1, 0) * limit,
		Limit:  limit + 1, // one more, to see whether there is a next page
	})
	if err != nil {
		return nil, err
	}
	page := &Page{}
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1].Place
	}
	now := time.Now()
	for _, s := range found {
		page.Tasks = append(page.Tasks, InfoOf(now, s))
		page.Places = append(page.Places, s.Place)
	}
	return page, nil
}

func (q ListQuery) check() error {
	var faults []error
	if q.Limit < 0 || q.Limit > MaxPage {
		faults = append(faults, task.Invalid("ListQuery.Limit", q.Limit, fmt.Sprintf("must be 0 to %d", MaxPage)))
	}
	switch {
	case q.Number < 0:
		faults = append(faults, task.Invalid("ListQuery.Number", q.Number, "must not be negative"))
	case q.Number > 1 && q.After != "":
		faults = append(faults, task.Invalid("ListQuery.Number", q.Number, "does not go with After"))
	}
	return errors.Join(faults...)
}

// Get returns what is known of one task, its attempts included, or an error that
// matches [ErrTaskNotFound], and [ErrQueueNotFound] if there is no such queue. It
// takes one trip, or two if there is no such task.
func (i *Inspector) Get(ctx context.Context, queue, id string) (*task.Info, error) {
	s, err := i.entry(ctx, queue, id)
	if err != nil {
		return nil, fmt.Errorf("get task %s/%s: %w", queue, id, err)
	}
	return InfoOf(time.Now(), s), nil
}

func (i *Inspector) entry(ctx context.Context, queue, id string) (broker.Stored, error) {
	if err := checkBroker(i.broker); err != nil {
		return broker.Stored{}, err
	}
	s, err := i.broker.Entry(ctx, broker.EntryRef{Queue: queue, ID: id})
	if errors.Is(err, broker.ErrNotFound) {
		err = i.missing(ctx, queue)
	}
	return s, err
}

// Find returns the tasks of that id, in order of the names of their queues: an id
// is unique in its queue, so there may be several. If there is none, the error
// matches [ErrTaskNotFound]. It takes a trip for each queue that there is.
func (i *Inspector) Find(ctx context.Context, id string) ([]*task.Info, error) {
	queues, err := i.Queues(ctx)
	if err != nil {
		return nil, fmt.Errorf("find task %s: %w", id, err)
	}
	var found []*task.Info
	for _, queue := range queues {
		s, err := i.broker.Entry(ctx, broker.EntryRef{Queue: queue, ID: id})
		switch {
		case err == nil:
			found = append(found, InfoOf(time.Now(), s))
		case !errors.Is(err, broker.ErrNotFound):
			return nil, fmt.Errorf("find task %s: %w", id, err)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("find task %s: %w", id, ErrTaskNotFound)
	}
	return found, nil
}

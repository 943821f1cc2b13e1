package views_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/views"
)

func TestThoseWhoKeepViewsAtOnceLoseNone(t *testing.T) {
	redis, file := redistest.Start(t, redistest.Options{}).URL(), filepath.Join(t.TempDir(), "views.db")
	for name, open := range map[string]func() (broker.Broker, error){
		"redis":  func() (broker.Broker, error) { return redisbroker.Open(redis, nil) },
		"sqlite": func() (broker.Broker, error) { return sqlitebroker.Open(file, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			var last broker.Broker
			for p := range 4 {
				b, err := open()
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				last = b
				for i := range 5 {
					all.Go(func() {
						v := views.View{Page: "runs", Name: fmt.Sprintf("view-%d-%d", p, i)}
						if err := views.Keep(t.Context(), b, time.Now(), v); err != nil {
							t.Error(err)
						}
						if i == 0 {
							if err := views.Forget(t.Context(), b, time.Now(), v.ID()); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
			all.Wait()
			got, err := views.All(t.Context(), last)
			if err != nil || len(got) != 16 {
				t.Fatalf("%d views are kept, want 16: %v, %v", len(got), got, err)
			}
			bounded(t, last, got[0])
		})
	}
}

// bounded checks that there are no more views than are kept, and none of the same name.
func bounded(t *testing.T, b broker.Broker, one views.View) {
	t.Helper()
	if err := views.Keep(t.Context(), b, time.Now(), one); !errors.Is(err, broker.ErrExists) {
		t.Errorf("to keep one twice: %v, want ErrExists", err)
	}
	for i := range views.Most + 5 {
		if err := views.Keep(t.Context(), b, time.Now(), views.View{Page: "tasks", Name: fmt.Sprint(i)}); err != nil && !errors.Is(err, task.ErrInvalid) {
			t.Error(err)
		}
	}
	if got, err := views.All(t.Context(), b); err != nil || len(got) != views.Most {
		t.Errorf("%d views are kept, want %d: %v", len(got), views.Most, err)
	}
	if err := views.Forget(t.Context(), b, time.Now(), "tasks/none"); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("to forget none: %v, want ErrNotFound", err)
	}
}

func TestWhatAViewMayBe(t *testing.T) {
	for field, v := range map[string]views.View{
		"page":  {Page: "audit", Name: "a"},
		"name":  {Page: "tasks", Name: "a{b"},
		"query": {Page: "tasks", Name: "a", Query: "type:" + strings.Repeat("x", 500)},
		"sort":  {Page: "queues", Name: "a", Sort: strings.Repeat("x", 31)},
	} {
		var bad *task.InvalidError
		if err := v.Check(); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%+v: %v, want that %s is invalid", v, err, field)
		}
	}
	if err := (views.View{Page: "tasks", Name: "a", Query: "no:such:field"}).Check(); err == nil {
		t.Error("a query that makes no sense is kept")
	}
	v := views.View{Page: "tasks", Name: "a", Query: "payload.card:4711 state:retry", Order: "oldest", Size: "100"}
	if got, want := v.Address(), "/tasks?order=oldest&q=payload.card%3A4711%20state%3Aretry&size=100"; got != want {
		t.Errorf("Address() = %s, want %s", got, want)
	}
	rules, err := mask.New(access.Admin, "card")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Allowed(access.Operator, rules); !errors.Is(err, mask.ErrMasked) {
		t.Errorf("an operator may ask for what is hidden: %v", err)
	}
	if err := v.Allowed(access.Admin, rules); err != nil {
		t.Errorf("an admin may not: %v", err)
	}
}

package query_test

import (
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// relay returns what a chain of searches finds, each of which takes one step and hands a
// token to the next.
func relay(t *testing.T, i *queue.Inspector, text string, newest bool, random *rand.Rand) (found []string) {
	t.Helper()
	for token, scanned := "", 0; ; {
		s := &query.Search{Inspector: i, Query: parse(t, text), Newest: newest}
		if token != "" {
			if err := s.Resume(token); err != nil {
				t.Fatal(err)
			}
		}
		step, err := s.Next(t.Context(), 1+random.IntN(20), 1+random.IntN(40))
		if err != nil {
			t.Fatal(err)
		}
		if step.Scanned < scanned || step.Scanned > step.Total {
			t.Errorf("%q has looked at %d of %d tasks after %d", text, step.Scanned, step.Total, scanned)
		}
		for _, i := range step.Tasks {
			found = append(found, i.Queue+"/"+i.ID)
		}
		if token = s.Token(); step.Done != (token == "") {
			t.Fatalf("%q is done: %v, and its token is %q", text, step.Done, token)
		}
		if step.Done {
			return found
		}
	}
}

func TestASearchIsResumedExactlyWhereItStood(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		random := rand.New(rand.NewPCG(seed, 0))
		i := queue.NewInspector(b)
		for _, text := range []string{"", "type:type:1", "payload.n>6", "state:aggregating group:t*", "id:pending-03,retry-01", "nothing-like-it", "-state:completed queue:mail"} {
			for _, newest := range []bool{false, true} {
				want := walk(t, &query.Search{Inspector: i, Query: parse(t, text), Newest: newest}, random)
				if diff := cmp.Diff(want, relay(t, i, text, newest, random)); diff != "" {
					t.Errorf("%q, resumed again and again, finds (-want +got, newest %v):\n%s", text, newest, diff)
				}
			}
		}
	})
}

func TestASearchIsResumedThoughItsPlaceIsEmpty(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		i := queue.NewInspector(b)
		s := &query.Search{Inspector: i, Query: parse(t, "state:retry,scheduled")}
		first, err := s.Next(t.Context(), 3, 1000)
		if err != nil || len(first.Tasks) != 3 || first.Tasks[0].Queue != "low" {
			t.Fatalf("Next() = %+v, %v, want 3 tasks of low", first, err)
		}
		if _, err := i.Bulk(t.Context(), queue.BulkRequest{Queue: "low", State: task.Retry, Do: broker.Delete}); err != nil {
			t.Fatal(err)
		}
		again := &query.Search{Inspector: i, Query: s.Query}
		if err := again.Resume(s.Token()); err != nil {
			t.Fatal(err)
		}
		rest, err := again.Next(t.Context(), 1000, 1000)
		if err != nil || len(rest.Tasks) != 3*perPlace || !rest.Done {
			t.Errorf("after its place was emptied it finds %d (%v), want %d", len(rest.Tasks), err, 3*perPlace)
		}
	})
}

func TestATokenIsRefusedUnlessItWasGivenOutForTheSearch(t *testing.T) {
	eachBroker(t, func(t *testing.T, b broker.Broker) {
		i := queue.NewInspector(b)
		s := &query.Search{Inspector: i, Query: parse(t, "state:pending")}
		if s.Token() != "" {
			t.Errorf("a search that has not begun has the token %q", s.Token())
		}
		if _, err := s.Next(t.Context(), 3, 3); err != nil {
			t.Fatal(err)
		}
		token := s.Token()
		for what, other := range map[string]*query.Search{
			"another query":     {Query: parse(t, "state:retry")},
			"other queues":      {Query: s.Query, Queues: []string{"low"}},
			"the other order":   {Query: s.Query, Newest: true},
			"a state of fields": {Query: s.Query, States: []task.State{task.Pending}},
		} {
			other.Inspector = i
			if err := other.Resume(token); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("the token of a search for %s is accepted (%v)", what, err)
			}
		}
		for _, garbage := range []string{"", "?", "e30", token[:len(token)-4], strings.Repeat("A", 5000)} {
			if err := (&query.Search{Inspector: i, Query: s.Query}).Resume(garbage); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("the token %.20q is accepted (%v)", garbage, err)
			}
		}
		text, _ := base64.RawURLEncoding.DecodeString(token)
		_, place, _ := strings.Cut(string(text), `"a":"`)
		place, _, _ = strings.Cut(place, `"`)
		changed := &query.Search{Inspector: i, Query: s.Query}
		if err := changed.Resume(base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(text), `"a":"`+place, `"a":"%`)))); err != nil {
			t.Fatal(err)
		}
		if _, err := changed.Next(t.Context(), 3, 3); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("a place that is none is accepted (%v)", err)
		}
	})
}

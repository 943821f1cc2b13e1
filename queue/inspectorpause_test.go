package queue_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

var pausePromises = []promise{
	{"who has paused a queue is told, and why, until it is resumed", func(x *inspection) {
		x.put("q", task.Pending)
		x.put("other", task.Pending)
		x.pauseBy("q", "ann", "a migration", true)
		ann := &queue.Pause{By: "ann", Why: "a migration", At: time.Now()}
		x.wantPauses(map[string]*queue.Pause{"q": ann, "other": nil})
		x.pass(time.Minute)
		x.pauseBy("q", "bob", "", false)
		x.pauseBy("other", "", "", true)
		bob := &queue.Pause{By: "bob", At: time.Now()}
		x.wantPauses(map[string]*queue.Pause{"q": bob, "other": {At: time.Now()}})
		if _, err := x.i.Resume(x.Context(), "q"); err != nil {
			x.Fatal(err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": nil, "other": {At: time.Now()}})
		x.wantKept("other")
	}},
	{"Pause leaves alone what was said of a queue that is paused", func(x *inspection) {
		x.put("q", task.Pending)
		x.pauseBy("q", "ann", "a migration", true)
		if fresh, err := x.i.Pause(x.Context(), "q"); fresh || err != nil {
			x.Errorf("Pause() = %v, %v; want false", fresh, err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": {By: "ann", Why: "a migration", At: time.Now()}})
	}},
	{"what asynq's tools have resumed is paused by nobody, and then by whoever pauses it", func(x *inspection) {
		x.put("q", task.Pending)
		x.pauseBy("q", "ann", "a migration", true)
		if _, err := x.b.Pause(x.Context(), time.Now(), "q", false); err != nil {
			x.Fatal(err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": nil})
		if fresh, err := x.i.Pause(x.Context(), "q"); !fresh || err != nil {
			x.Errorf("Pause() = %v, %v; want true", fresh, err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": nil})
		x.wantKept()
	}},
	{"who has paused a queue goes with it", func(x *inspection) {
		x.put("q", task.Pending)
		x.pauseBy("q", "ann", "a migration", true)
		if err := x.i.RemoveQueue(x.Context(), "q", true); err != nil {
			x.Fatal(err)
		}
		x.wantKept()
	}},
	{"a name that is none is not paused, and nothing is kept of it", func(x *inspection) {
		if _, err := x.i.PauseBy(x.Context(), "no{name", "ann", ""); !errors.Is(err, task.ErrInvalid) {
			x.Errorf("PauseBy() = %v, want ErrInvalid", err)
		}
		x.wantKept()
	}},
	{"what is said of a pause is cut", func(x *inspection) {
		x.put("q", task.Pending)
		x.pauseBy("q", strings.Repeat("é", 150)+"\xff", strings.Repeat("y", 1000), true)
		x.wantPauses(map[string]*queue.Pause{"q": {By: strings.Repeat("é", 100), Why: strings.Repeat("y", 200), At: time.Now()}})
	}},
	{"who pauses a queue while it is resumed is told", func(x *inspection) {
		x.put("q", task.Pending)
		x.pauseBy("q", "ann", "a migration", true)
		meanwhile := func() { x.pauseBy("q", "bob", "an outage", true) }
		i := queue.NewInspector(brokertest.Faulty(x.b, func(_ int, method string) brokertest.Fault {
			if method == "Apply" && meanwhile != nil { // it is resumed, and to be forgotten
				do := meanwhile
				meanwhile = nil
				do()
			}
			return brokertest.Fault{}
		}))
		if fresh, err := i.Resume(x.Context(), "q"); !fresh || err != nil {
			x.Errorf("Resume() = %v, %v; want true", fresh, err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": {By: "bob", Why: "an outage", At: time.Now()}})
	}},
	{"what is damaged hinders nobody from pausing", func(x *inspection) {
		x.put("q", task.Pending)
		x.change(broker.Change{Home: pausesHome, Put: []broker.Put{{Key: "pauses", Body: []byte("{"), If: broker.AnyVersion}}})
		x.pauseBy("q", "ann", "", true)
		x.wantPauses(map[string]*queue.Pause{"q": {By: "ann", At: time.Now()}})
	}},
	{"where it cannot be kept who pauses a queue, it is paused unless somebody says why", func(x *inspection) {
		x.put("q", task.Pending)
		failing := brokertest.Faulty(x.b, func(_ int, method string) brokertest.Fault {
			if method == "Apply" {
				return brokertest.Fault{Before: errors.New("there is no room")}
			}
			return brokertest.Fault{}
		})
		i := queue.NewInspector(failing)
		if fresh, err := i.PauseBy(x.Context(), "q", "ann", "a migration"); fresh || err == nil {
			x.Errorf("PauseBy() = %v, %v; want an error", fresh, err)
		}
		if fresh, err := i.PauseBy(x.Context(), "q", "ann", ""); !fresh || err != nil {
			x.Errorf("PauseBy() without a why = %v, %v; want true", fresh, err)
		}
		x.wantPauses(map[string]*queue.Pause{"q": nil})
	}},
	{"many who pause at once are all told of", func(x *inspection) {
		want := map[string]*queue.Pause{}
		var all sync.WaitGroup
		for n := range 10 {
			name := fmt.Sprint("q", n)
			x.put(name, task.Pending)
			want[name] = &queue.Pause{By: name, At: time.Now()}
		}
		for name := range want {
			all.Go(func() { x.pauseBy(name, name, "", true) })
		}
		all.Wait()
		x.wantPauses(want)
	}},
	{"of queues that others have resumed not all is kept for ever", func(x *inspection) {
		kept := map[string]queue.Pause{}
		for n := range 1000 {
			kept[fmt.Sprint("q", n)] = queue.Pause{At: time.Now().Add(time.Duration(-n) * time.Second)}
		}
		body, err := json.Marshal(kept)
		if err != nil {
			x.Fatal(err)
		}
		x.change(broker.Change{Home: pausesHome, Put: []broker.Put{{Key: "pauses", Body: body, If: broker.AnyVersion}}})
		x.pauseBy("q", "ann", "", true)
		delete(kept, "q999") // the oldest
		x.wantKept(append(slices.Collect(maps.Keys(kept)), "q")...)
	}},
	{"to tell who has paused queues takes one trip, and none if none is paused", func(x *inspection) {
		x.put("a", task.Pending)
		x.put("b", task.Pending)
		trips := 0
		i := queue.NewInspector(brokertest.Faulty(x.b, func(int, string) brokertest.Fault { trips++; return brokertest.Fault{} }))
		for _, want := range []int{0, 1} {
			infos, err := x.i.Figures(x.Context())
			if err != nil {
				x.Fatal(err)
			}
			trips = 0
			if err := i.ReadPauses(x.Context(), infos); err != nil || trips != want {
				x.Errorf("ReadPauses() = %v after %d trips, want %d", err, trips, want)
			}
			x.pauseBy("a", "ann", "", want == 0)
			x.pauseBy("b", "ann", "", want == 0)
		}
	}},
}

var pausesHome = broker.Home{Queue: "leat~pauses", ID: "all"}

// pauseBy pauses a queue, which must be as new as fresh says.
func (x *inspection) pauseBy(name, by, why string, fresh bool) {
	x.Helper()
	if got, err := x.i.PauseBy(x.Context(), name, by, why); err != nil || got != fresh {
		x.Errorf("PauseBy(%s, %s) = %v, %v; want %v", name, by, got, err, fresh)
	}
}

// wantPauses demands what is told of all queues, by their names.
func (x *inspection) wantPauses(want map[string]*queue.Pause) {
	x.Helper()
	infos, err := x.i.Figures(x.Context())
	if err == nil {
		err = x.i.ReadPauses(x.Context(), infos)
	}
	got := map[string]*queue.Pause{}
	for _, i := range infos {
		got[i.Queue] = i.Pause
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		x.Errorf("who has paused queues: error %v (-want +got):\n%s", err, diff)
	}
}

// wantKept demands of which queues it is kept who has paused them.
func (x *inspection) wantKept(want ...string) {
	x.Helper()
	docs, err := x.b.Documents(x.Context(), pausesHome, "pauses")
	if err != nil {
		x.Fatal(err)
	}
	kept := map[string]queue.Pause{}
	if docs[0].Version > 0 {
		err = json.Unmarshal(docs[0].Body, &kept)
	}
	got := slices.Sorted(maps.Keys(kept))
	slices.Sort(want)
	if !slices.Equal(got, want) || err != nil {
		x.Errorf("kept: %v, %v; want %v", got, err, want)
	}
}

package pages_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/views"
)

func TestViewsAreOfferedAboveTheirList(t *testing.T) {
	w := newWorld(t, nil, masked(t, "card"))
	for _, v := range []views.View{
		{Page: "tasks", Name: "retried", Query: "state:retry", Order: "oldest", Size: "100"},
		{Page: "tasks", Name: "of-a-card", Query: "payload.card:4711"},
		{Page: "runs", Name: "failed-runs", Query: "state:failed"},
		{Page: "queues", Name: "large", Sort: "-size"},
		{Page: "entries", Name: "paused-ones", Query: "paused:yes"},
	} {
		if err := views.Keep(t.Context(), w.broker, time.Now(), v); err != nil {
			t.Fatal(err)
		}
	}
	const retried = `href="/leat/tasks?order=oldest&q=state%3Aretry&size=100"`
	w.shows("/tasks", retried, ">of-a-card<", "Keep view…", "Forget")
	w.shows("/tasks?q=state:retry&order=oldest&size=100", retried+` aria-current="true"`, "/deed/view/keep?order=oldest&page=tasks&query=state%3Aretry&size=100")
	w.lacks("/tasks", "failed-runs", "large", "paused-ones")
	w.shows("/runs", ">failed-runs<")
	w.shows("/queues", `href="/leat/queues?sort=-size"`)
	w.shows("/entries", ">paused-ones<")

	operator := w.as(access.Operator)
	operator.shows("/tasks", retried, "Keep view…")
	operator.lacks("/tasks", "of-a-card", "4711")
	viewer := w.as(access.Viewer)
	viewer.shows("/tasks", retried)
	viewer.lacks("/tasks", "of-a-card", "4711", "Keep view", "Forget")
}

func TestAListIsThereAlthoughItsViewsCannotBeRead(t *testing.T) {
	b := model.New(model.Options{})
	_, err := b.Apply(t.Context(), time.Now(), []broker.Change{{
		Home: broker.Home{Queue: "leat~views", ID: "all"}, Put: []broker.Put{{Key: "views", Body: []byte("{"), If: broker.AnyVersion}},
	}}, broker.LeaseRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := newWorld(t, b, nil).ask(http.MethodGet, "/tasks"); status != http.StatusOK {
		t.Errorf("GET /tasks: %d %s", status, body)
	}
}

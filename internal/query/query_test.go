package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// mail is a task that most fields say something of.
var mail = &task.Info{
	ID: "3f2a-17", Queue: "mail", Type: "email:welcome", State: task.Retry,
	Payload: []byte(`{"user": {"id": 12345678901234567890, "name": "Ada", "a.b": true}, "rate": 1.50, "items": [{"sku": "A-7"}, {"sku": "B-8", "n": null}]}`),
	Headers: map[string]string{"tenant": "acme", "leat.entry": "nightly"},
	LastErr: "dial tcp: Connection Refused, twice", LastFailedAt: now.Add(-3 * time.Hour), NextProcessAt: now.Add(5 * time.Minute),
	Retried: 3, MaxRetry: 25, Timeout: time.Minute,
}

// done is a task of which there is little to say.
var done = &task.Info{ID: "9", Queue: "low", Type: "report", State: task.Completed, CompletedAt: now.Add(-time.Minute), Result: []byte("all \xff well")}

func TestATaskIsTakenByWhatIsTrueOfIt(t *testing.T) {
	for _, c := range []struct{ text, takes string }{
		{"", "mail done"},
		{"queue:mail", "mail"},
		{"q:mail,low", "mail done"},
		{"state:retry,archived", "mail"},
		{"-state:retry", "done"},
		{"state:*e*", "mail done"},
		{"type:email:*", "mail"},
		{"type:email", ""},
		{"type:EMAIL:welcome", ""},
		{"type~WELC", "mail"},
		{"type:*mail*come", "mail"},
		{"type:email:welcome*come", ""},
		{"welcome", "mail"},
		{"3F2A", "mail"},
		{"-refused", "done"},
		{`"connection refused"`, "mail"},
		{"dial*twice", "mail"},
		{"twice*dial", ""},
		{`"dial*twice"`, ""},
		{`error~"refused, twice"`, "mail"},
		{`error:""`, "done"},
		{`error:"",dial*`, "mail done"},
		{"error:*", "mail"},
		{"-error:*", "done"},
		{"payload.user.id:12345678901234567890", "mail"},
		{"payload.user.id:12345678901234567891", ""},
		{"payload.user.id:12345678901234567890.0", "mail"},
		{"payload.user.id>12345678901234567889", "mail"},
		{"payload.user.id<=12345678901234567889", ""},
		{"payload.rate:1.5", "mail"},
		{"payload.rate:15e-1", "mail"},
		{"payload.rate:1*", "mail"},
		{"payload.user.name:Ada", "mail"},
		{"payload.user.name:ada", ""},
		{"payload.user.name~ADA", "mail"},
		{"payload.user.name>1", ""},
		{`payload.user."a.b":true`, "mail"},
		{"payload.items.1.sku:B-8", "mail"},
		{"payload.items.2.sku:*", ""},
		{"payload.items.-1.sku:*", ""},
		{"payload.items.*.sku:A-7", "mail"},
		{`payload.items."*".sku:A-7`, ""},
		{"payload.*.id:*", "mail"},
		{"payload.items.1.n:null", "mail"},
		{"payload.items.1:{*null*}", "mail"},
		{`payload.items.1~b-8`, "mail"},
		{"-payload.nothing:*", "mail done"},
		{"payload~sku", "mail"},
		{"payload:*", "mail"},
		{"result~WELL", "done"},
		{"result.a:b", ""},
		{"header.tenant:acme", "mail"},
		{"header.leat.entry:night*", "mail"},
		{"-header.tenant:*", "done"},
		{"age>2h", "mail"},
		{"age<2h", "done"},
		{"age>=1m", "mail done"},
		{"age>2026-11-30T10:00:00Z", "mail"},
		{"age<2026-11-30T10:00:00Z", "done"},
		{"failed>4h", "mail"},
		{"failed>2h", ""},
		{"failed:2026-11-30T09:00:00Z", "mail"},
		{"failed:2026-11-30T09:00:01Z", ""},
		{"completed>5m", "done"},
		{"due<10m", "mail"},
		{"due>10m", ""},
		{"due<2026-11-30T13:00:00Z", "mail"},
		{"retried>2 attempt<4", "mail"},
		{"retried:3,4", "mail"},
		{"max_retry:0", "done"},
		{"timeout>=1m", "mail"},
		{"timeout:0s", "done"},
		{"orphaned:no", "mail done"},
		{"orphaned:yes,no", "mail done"},
		{"unique:*", ""},
		{"state:retry type:email:* -retried:0", "mail"},
		{"state:retry state:completed", ""},
		{"  welcome\t\n", "mail"},
	} {
		q, err := query.Tasks.Parse(c.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.text, err)
			continue
		}
		var takes []string
		if q.Match(now, mail) {
			takes = append(takes, "mail")
		}
		if q.Match(now, done) {
			takes = append(takes, "done")
		}
		if got := strings.Join(takes, " "); got != c.takes {
			t.Errorf("%q takes %q, want %q", c.text, got, c.takes)
		}
	}
}

func TestOtherThingsHaveLanguagesOfTheirOwn(t *testing.T) {
	run := workflow.Summary{
		Handle: workflow.Handle{ID: "order-17"}, Workflow: "order", State: workflow.TimedOut, Started: now.Add(-time.Hour), Ended: now,
		Failure: &workflow.StepError{Step: "charge", Item: -1, Message: "card declined"}, Attributes: map[string]string{"customer": "17"},
	}
	for _, text := range []string{"order", "declined", "state:timed-out", `state:"timed out"`, "attr.customer:17", "step:charge", "took:1h", "took>59m", "age>59m", "-error:\"\""} {
		holds(t, query.Runs, text, run)
	}
	entry := periodic.Info{
		Entry:  periodic.Entry{Name: "nightly", Schedule: "@every 5m", Type: "report", Options: []task.Option{task.Queue("low")}},
		Source: periodic.FromStore, Paused: &periodic.Pause{}, Next: now.Add(time.Minute),
	}
	for _, text := range []string{"night", "queue:low", `schedule:"@every "*`, "source:store", "paused:yes", "late:no", "next<5m", "-prev<1d"} {
		holds(t, query.Entries, text, entry)
	}
	figures := queue.QueueInfo{Counts: broker.Counts{Queue: "mail", Pending: 3, Failed: 1, Processed: 10, Paused: true}, Latency: time.Minute}
	for _, text := range []string{"mail", "name:mail", "state:paused", "size:3", "pending>2", "error_rate:0.1", "error_rate>0.05", "latency>30s", "failed<2"} {
		holds(t, query.Queues, text, figures)
	}
	group := query.Group{Group: broker.Group{Name: "user-7", Size: 12, Frozen: 2, Oldest: now.Add(-time.Hour)}, Queue: "mail"}
	for _, text := range []string{"user", "queue:mail", "group:user-*", "size>11", "frozen:2", "age>59m", "-age>2h"} {
		holds(t, query.Groups, text, group)
	}
	server := broker.Server{ID: "a1", Host: "web-1", PID: 4711, Status: "active", Queues: map[string]int{"mail": 1, "low": 1}, Started: now.Add(-8 * 24 * time.Hour), Workers: []broker.Worker{{Type: "report"}}}
	for _, text := range []string{"web", "pid:4711", "queue:low", "queue:mail", "-queue:other", "state:active", "age>7d", "age<2w", "age>1w0d12h", "type:report", "running:1"} {
		holds(t, query.Servers, text, server)
	}
}

func holds[T any](t *testing.T, l *query.Language[T], text string, v T) {
	t.Helper()
	q, err := l.Parse(text)
	if err != nil {
		t.Errorf("Parse(%q): %v", text, err)
	} else if !q.Match(now, v) {
		t.Errorf("%q does not take %+v", text, v)
	}
}

func TestWhatIsNoQueryIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"sate:retry", `query, character 1: tasks have no field "sate": did you mean "state"? (there are queue, state, type,`},
		{"state:retry email:welcome", `query, character 13: tasks have no field "email": if it is text, put it in quotes: "email:welcome"`},
		{"state:rety", `query, character 7: state is never "rety": did you mean "retry"? (there are active, pending,`},
		{"state>1", `query, character 6: state does not go with ">": it takes :`},
		{"state:", `query, character 7: state: needs a value: for none, write state:""`},
		{"state:retry,", "query, character 13: state: needs a value"},
		{"ü retried:x", "query, character 11: retried is compared with a number"},
		{"retried:1*", "retried is not compared with a pattern"},
		{"retried>1,2", "retried is compared with a number"},
		{"age>soon", "age is compared with a duration"},
		{"age>-5m", "age is compared with a duration"},
		{"timeout>1h2d", "timeout is compared with a duration"},
		{"age:5m", `age does not go with ":"`},
		{"failed:5m", `failed is compared with a duration by "<" or ">"`},
		{"orphaned:maybe", "orphaned is yes or no"},
		{"payload>5", `payload does not go with ">"`},
		{"payload.a>x", "payload is compared with a number"},
		{"payload..a:1", "query, character 1: a name is missing beside a dot"},
		{"payload.:1", "a name is missing beside a dot"},
		{"header:x", "header needs a name: write header.NAME"},
		{"queue.a:x", "queue has no parts"},
		{`error~"open`, "query, character 7: the quote is not closed"},
		{`"`, "the quote is not closed"},
		{`""`, "an empty word is in everything"},
		{"-", `"-" stands before the term that it turns round`},
		{"state=retry", `a field is compared with ":": write state:retry`},
		{"state!=retry", `a field is compared with ":": write state:retry`},
	} {
		_, err := query.Tasks.Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q) = %v, want %q", c.text, err, c.want)
		}
		var e *query.Error
		if !errors.Is(err, task.ErrInvalid) || !errors.As(err, &e) || e.Text != c.text {
			t.Errorf("Parse(%q) = %#v, want an Error that matches ErrInvalid", c.text, err)
		}
	}
}

func TestAQuerySaysWhereToLook(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"queue:b,a", []string{"a", "b"}},
		{"queue:b,a,a queue:a,c", []string{"a"}},
		{"queue:a queue:b", []string{}},
		{"queue:a*", nil},
		{"queue:a,b*", nil},
		{"-queue:a", nil},
		{"queue~a", nil},
		{"state:retry", nil},
	} {
		q := parse(t, c.text)
		got := q.Only("queue")
		if strings.Join(got, " ") != strings.Join(c.want, " ") || (got == nil) != (c.want == nil) {
			t.Errorf("Only of %q = %#v, want %#v", c.text, got, c.want)
		}
	}
	q := parse(t, "queue:mail* -queue:mailbox state:retry")
	for name, want := range map[string]bool{"mail": true, "mailbox": false, "low": false, "mails": true} {
		if got := q.Allows("queue", name); got != want {
			t.Errorf("%q allows %s: %v, want %v", q, name, got, want)
		}
	}
	if got, want := q.Without("queue").String(), "state:retry"; got != want {
		t.Errorf("without its queues %q is %q, want %q", q, got, want)
	}
	if !q.Without("queue", "state").Empty() || q.Empty() {
		t.Error("a query is empty that is not, or is not that is")
	}
}

func parse(t testing.TB, text string) query.Query[*task.Info] {
	t.Helper()
	q, err := query.Tasks.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return q
}

package query_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func columns(t fatal, text string) []query.Column[*task.Info] {
	all, err := query.Tasks.Columns(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return all
}

func TestAColumnTellsWhatItsFieldIs(t *testing.T) {
	for name, want := range map[string]string{
		"id": "3f2a-17", "q": "mail", "state": "retry", "error": "dial tcp: Connection Refused, twice", "group": "",
		"payload.user.id": "12345678901234567890", "payload.rate": "1.50", `payload.user."a.b"`: "true", "payload.items.1": `{"n":null,"sku":"B-8"}`,
		"payload.items.*.sku": "A-7, B-8", "payload.items.0.*": "A-7", "payload.nothing": "", "payload.user.name.more": "", "result": "", "result.a": "",
		"payload": string(mail.Payload), "header.tenant": "acme", "header.leat.entry": "nightly", "header.x": "",
		"retried": "3", "max_retry": "25", "timeout": "1m0s", "orphaned": "no", "size": "134",
	} {
		if got := query.Tell(columns(t, name), now, mail)[0].Text; got != want {
			t.Errorf("%s tells %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]time.Time{"age": mail.LastFailedAt, "due": mail.NextProcessAt, "failed": mail.LastFailedAt, "completed": {}} {
		if c := columns(t, name); !c[0].IsMoment() || !query.Tell(c, now, mail)[0].At.Equal(want) {
			t.Errorf("%s tells %v, want %v", name, query.Tell(c, now, mail)[0].At, want)
		}
	}
}

func TestAPathToManyTextsTellsSome(t *testing.T) {
	i := &task.Info{Payload: []byte("[" + strings.Repeat("1,", 5000) + "1]")}
	if got := query.Tell(columns(t, "payload.*"), now, i)[0].Text; got != strings.Repeat("1, ", 19)+"1" {
		t.Errorf("it tells %d bytes", len(got))
	}
}

func TestANumberIsToldAsItIsWrittenPlainly(t *testing.T) {
	all, err := query.Queues.Columns("error_rate")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		failed, processed int
		want              string
	}{{0, 1, "0"}, {7, 1, "7"}, {1500, 1, "1500"}, {1, 4, "0.25"}, {25, 2, "12.5"}, {-3, 1, "-3"}, {-1, 1000, "-0.001"}, {1e18, 1, "1000000000000000000"}} {
		if got := query.Tell(all, now, queue.QueueInfo{Counts: broker.Counts{Failed: c.failed, Processed: c.processed}})[0].Text; got != c.want {
			t.Errorf("%d of %d is %s, want %s", c.failed, c.processed, got, c.want)
		}
	}
}

func TestColumnsAreNamedPlainly(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		" id , q,,queue\t,attempt,":      "id queue retried",
		`payload."a,b".c,header."x,y z"`: `payload."a,b".c header."x,y z"`,
		`payload."user".*."*"`:           `payload.user.*."*"`,
	} {
		var names []string
		for _, c := range columns(t, text) {
			names = append(names, c.Name())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestWhatIsNoColumnIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"id,paylod.user": `character 4: tasks have no field "paylod": did you mean "payload"?`,
		"id,xyzzyx":      `character 4: tasks have no field "xyzzyx" (there are queue`,
		"header":         "header needs a name: write header.NAME",
		"state.x":        "state has no parts",
		"payload.":       "a name is missing beside a dot",
		"state:retry":    "character 6: a column is a field by its name alone",
		"id type":        "character 4: a column is a field by its name alone: there are commas between columns",
		`payload."a`:     "the quote is not closed",
		"-id":            `tasks have no field "-id"`,
	} {
		if c, err := query.Tasks.Columns(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v, %v; want %q", text, c, err, want)
		}
	}
}

func TestTheNameOfAColumnIsTheColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.SampledFrom(pieces), rapid.String())
		text := "payload." + strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		all, err := query.Tasks.Columns(text)
		if err != nil {
			return
		}
		query.Tell(all, now, mail)
		for _, c := range all {
			if again := columns(t, c.Name()); len(again) != 1 || again[0].Name() != c.Name() {
				t.Fatalf("%q names %q, which is %v", text, c.Name(), again)
			}
		}
	})
}

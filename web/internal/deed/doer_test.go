package deed_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// inMemory returns a world that costs little.
func inMemory(t *testing.T) *world {
	t.Helper()
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return newWorld(t, b)
}

// aTarget returns names that are valid for a deed, of nothing that is there.
func aTarget(d deed.Deed) (t deed.Target) {
	if d.New {
		return t
	}
	if d.Kind.NamesQueue() {
		t.Queue = "nowhere"
	}
	if d.Kind.NamesID() {
		t.ID = "nothing"
	}
	return t
}

// someArgs returns an argument for each that a deed needs.
func someArgs(d deed.Deed) map[string]string {
	args := map[string]string{}
	for _, p := range d.Params {
		if p.Required {
			args[p.Name] = map[deed.Form]string{deed.Moment: "2030-01-31", deed.Text: "some"}[p.Form]
		}
	}
	return args
}

func TestADeedIsOnlyForItsRole(t *testing.T) {
	w := inMemory(t)
	for _, d := range deed.All(access.Admin) {
		for role := access.Nobody; role <= access.Admin; role++ {
			who := access.Identity{Name: "bob", Role: role}
			_, err := w.d.Do(t.Context(), who, d, aTarget(d), someArgs(d))
			if forbidden := errors.Is(err, deed.ErrForbidden); forbidden != (role < d.Role) {
				t.Errorf("%s %s as %s: %v", d.Kind, d.Name, role, err)
			}
			if told := w.last(); told.By != who.Name || told.Role != role || err != nil && told.Err != err.Error() {
				t.Errorf("%s %s as %s: told was %+v, want %v", d.Kind, d.Name, role, told, err)
			}
			_, err = w.d.Many(t.Context(), who, d, []deed.Target{aTarget(d)}, someArgs(d))
			if role < d.Role && !errors.Is(err, deed.ErrForbidden) {
				t.Errorf("%s %s of many as %s: %v", d.Kind, d.Name, role, err)
			}
		}
	}
	for role := access.Nobody; role <= access.Admin; role++ {
		for _, d := range deed.All(role) {
			if d.Role > role {
				t.Errorf("All(%s) has %s %s, which takes %s", role, d.Kind, d.Name, d.Role)
			}
		}
	}
}

func TestWhatDestroysOrForgesTakesAnAdmin(t *testing.T) {
	for _, d := range deed.All(access.Admin) {
		forges := d.Name == "edit" || d.Name == "skip"
		if want := map[bool]access.Role{true: access.Admin, false: access.Operator}[d.Final || forges]; d.Role != want {
			t.Errorf("%s %s takes %s, want %s", d.Kind, d.Name, d.Role, want)
		}
	}
}

func TestNoParameterIsTakenForSomethingElse(t *testing.T) {
	for _, d := range deed.All(access.Admin) {
		reserved := []string{"q", "all", "pick", "back", "count", "confirm", "notice", "show"}
		if !d.New && d.Kind.NamesQueue() {
			reserved = append(reserved, "queue")
		}
		if !d.New && d.Kind.NamesID() {
			reserved = append(reserved, "id")
		}
		seen := map[string]bool{}
		for _, p := range d.Params {
			if slices.Contains(reserved, p.Name) || seen[p.Name] {
				t.Errorf("%s %s: parameter %s has a name that means something else", d.Kind, d.Name, p.Name)
			}
			seen[p.Name] = true
		}
	}
}

func TestNamesAreCheckedBeforeAnythingIsDone(t *testing.T) {
	w := inMemory(t)
	bad := []string{"", "a b", "a}b{", "a\x00", "<b>", strings.Repeat("x", 2000), "ä", "a\nb"}
	for _, d := range deed.All(access.Admin) {
		for _, name := range bad {
			for _, part := range []string{"queue", "id"} {
				target := aTarget(d)
				switch {
				case part == "queue" && d.Kind.NamesQueue() && !d.New:
					target.Queue = name
				case part == "id" && d.Kind.NamesID() && !d.New:
					target.ID = name
				case name == "":
					continue
				case part == "queue":
					target.Queue = name
				default:
					target.ID = name
				}
				_, err := w.d.Do(t.Context(), admin, d, target, someArgs(d))
				var invalid *task.InvalidError
				if !errors.As(err, &invalid) {
					t.Errorf("%s %s of %q: %v, want an InvalidError", d.Kind, d.Name, target, err)
				} else if !d.New && invalid.Field != part {
					t.Errorf("%s %s of %q: %v, want it about %s", d.Kind, d.Name, target, err, part)
				}
			}
		}
	}
	if names, err := w.s.Inspector.Queues(t.Context()); err != nil || len(names) != 0 {
		t.Errorf("there are queues %q, %v; want none", names, err)
	}
}

func TestEveryWrongArgumentIsNamed(t *testing.T) {
	w := inMemory(t)
	wrong := map[deed.Form]string{
		deed.Moment: "soon", deed.Duration: "long", deed.Number: "-1", deed.Truth: "maybe", deed.Base64: "*", deed.Choice: "none of them",
	}
	for _, d := range deed.All(access.Admin) {
		args := map[string]string{"nonsense": "1"}
		want := []string{"nonsense"}
		for _, p := range d.Params {
			if text, ok := wrong[p.Form]; ok {
				args[p.Name], want = text, append(want, p.Name)
			} else if p.Required {
				want = append(want, p.Name)
			}
		}
		_, err := w.d.Do(t.Context(), admin, d, aTarget(d), args)
		for _, name := range want {
			if err == nil || !strings.Contains(err.Error(), name) || !errors.Is(err, task.ErrInvalid) {
				t.Errorf("%s %s: %v, which does not name %s", d.Kind, d.Name, err, name)
			}
		}
	}
}

func TestWhoDoesItIsKeptWithIt(t *testing.T) {
	w := inMemory(t)
	e := stored(w)
	for who, want := range map[string]string{"ada": "ada", "": "anybody"} {
		if _, err := w.d.Do(t.Context(), access.Identity{Name: who, Role: access.Operator}, w.find(deed.Entry, "pause"), e, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.entry(e).Paused.By; got != want {
			t.Errorf("it is paused by %q, want %q", got, want)
		}
	}
}

func TestADeedThatThereIsNotIsRefused(t *testing.T) {
	if _, err := deed.Find(deed.Server, "explode"); !errors.Is(err, deed.ErrUnknown) {
		t.Errorf("Find() = %v, want ErrUnknown", err)
	}
	w := inMemory(t)
	made := deed.Deed{Kind: deed.Task, Name: "explode"}
	if _, err := w.d.Do(t.Context(), admin, made, deed.Target{Queue: "q", ID: "a"}, nil); !errors.Is(err, deed.ErrUnknown) {
		t.Errorf("Do() = %v, want ErrUnknown", err)
	}
}

func TestSeveralAreDoneEachOnItsOwn(t *testing.T) {
	inWorlds(t, func(w *world) {
		targets := []deed.Target{w.put("scheduled"), w.put("active"), w.put("retry"), {Queue: "nowhere", ID: "nothing"}}
		results, err := w.d.Many(w.Context(), admin, w.find(deed.Task, "run"), targets, nil)
		w.need(err)
		var state *broker.StateError
		if results[0].Err != nil || !errors.As(results[1].Err, &state) || results[2].Err != nil || !errors.Is(results[3].Err, queue.ErrTaskNotFound) {
			w.Errorf("the results are %+v", results)
		}
		w.wantState(targets[2], "pending")
		if len(w.records) != 3 || w.records[0].Target != targets[0].String()+" "+targets[2].String() || w.records[0].Count != 2 || w.records[2].Err == "" {
			w.Errorf("told was %+v, want two that were done together, and two that were not", w.records)
		}
	})
}

func TestWhatIsFinalForSeveralIsConfirmed(t *testing.T) {
	w := inMemory(t)
	targets := []deed.Target{w.put("archived"), w.put("archived"), w.put("archived")}
	del := w.find(deed.Task, "delete")
	for _, typed := range []string{"", "2", "4", "three", "-3"} {
		if _, err := w.d.Many(t.Context(), admin, del, targets, map[string]string{"confirm": typed}); !errors.Is(err, deed.ErrUnconfirmed) && !errors.Is(err, task.ErrInvalid) {
			t.Errorf("with %q typed: %v, want it refused", typed, err)
		}
	}
	w.wantState(targets[0], "archived")
	if _, err := w.d.Many(t.Context(), admin, del, targets, map[string]string{"confirm": "3"}); err != nil {
		t.Error(err)
	}
	w.wantState(targets[0], "")

	group := twoInGroup(w)
	for _, d := range []struct {
		deed   deed.Deed
		target deed.Target
		args   map[string]string
	}{
		{w.find(deed.Group, "delete"), group, map[string]string{}},
		{w.find(deed.Queue, "remove"), deed.Target{Queue: group.Queue}, map[string]string{"force": "true"}},
	} {
		var unconfirmed *deed.ConfirmError
		if _, err := w.d.Do(t.Context(), admin, d.deed, d.target, d.args); !errors.As(err, &unconfirmed) || unconfirmed.Count != 2 {
			t.Errorf("%s %s = %v, want it refused with their number", d.deed.Kind, d.deed.Name, err)
		}
	}
}

func TestOnlyWhatSeveralMayHaveIsDoneToSeveral(t *testing.T) {
	w := inMemory(t)
	targets := []deed.Target{w.put("pending"), w.put("pending")}
	for _, d := range []deed.Deed{w.find(deed.Task, "edit"), w.find(deed.Task, "clone")} {
		if _, err := w.d.Many(t.Context(), admin, d, targets, map[string]string{"payload": "1"}); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%s of two = %v, want it refused", d.Name, err)
		}
	}
	for _, n := range []int{0, deed.MaxTargets + 1} {
		if _, err := w.d.Many(t.Context(), admin, w.find(deed.Task, "run"), make([]deed.Target, n), nil); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("run of %d = %v, want it refused", n, err)
		}
	}
}

func TestWhatIsCarriedIsNotTold(t *testing.T) {
	w := inMemory(t)
	secret := "hunter2"
	_, err := w.d.Do(t.Context(), admin, w.find(deed.Task, "enqueue"), deed.Target{}, map[string]string{
		"type": "login", "queue": "q", "payload": fmt.Sprintf(`{"password":%q}`, secret), "headers": "Authorization=" + secret,
	})
	w.need(err)
	told := w.last()
	if text := fmt.Sprintf("%+v", told); strings.Contains(text, secret) || told.Args["type"] != "login" || told.Args["payload"] != "(22 bytes)" {
		t.Errorf("told was %s", text)
	}
}

func TestWhatIsCarriedIsNotToldWhenItIsRefused(t *testing.T) {
	const secret = "hunter2"
	for _, c := range []struct {
		kind deed.Kind
		name string
		args map[string]string
		says string // what is told all the same
	}{
		{deed.Task, "enqueue", map[string]string{"type": "t", "payload_base64": secret + "!"}, "payload_base64: is no base64"},
		{deed.Task, "enqueue", map[string]string{"type": "t", "payload": "1", "payload_base64": "aHVudGVyMg=="}, "contradicts"},
		{deed.Task, "enqueue", map[string]string{"type": "t", "headers": "Authorization: " + secret}, "headers: is not KEY=VALUE"},
		{deed.Task, "enqueue", map[string]string{"type": "t", "retry": "many", "password": secret}, `retry "many"`},
		{deed.Task, "enqueue", map[string]string{"type": "t", "query": secret}, "query: is not known"},
		{deed.Run, "start", map[string]string{"workflow": "w", "input": secret}, "input: is no JSON"},
		{deed.Entry, "add", map[string]string{"name": "n", "schedule": "@daily", "type": "t", "payload": "1", "template": secret}, "contradicts"},
		{deed.Entry, "add", map[string]string{"name": "n", "schedule": "@daily", "type": "t", "options": secret}, "invalid"},
	} {
		w := inMemory(t)
		if _, err := w.d.Do(t.Context(), admin, w.find(c.kind, c.name), deed.Target{}, c.args); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("%s %s with %v = %v, want it refused", c.kind, c.name, c.args, err)
		}
		if text := fmt.Sprintf("%+v", w.last()); strings.Contains(text, secret) || strings.Contains(text, "aHVu") || !strings.Contains(w.last().Err, c.says) {
			t.Errorf("of %s %s with %v told was %s", c.kind, c.name, c.args, text)
		}
	}
}

func TestADeedRacesWithAWorker(t *testing.T) {
	inWorlds(t, func(w *world) {
		archive, run := w.find(deed.Task, "archive"), w.find(deed.Task, "run")
		for range 20 {
			t := w.put("pending")
			var race sync.WaitGroup
			var archived error
			var leased bool
			race.Go(func() { _, archived = w.d.Do(w.Context(), admin, archive, t, nil) })
			race.Go(func() { leased = w.tryLease(t.Queue) })
			race.Wait()
			var state *broker.StateError
			switch {
			case archived == nil && leased, archived != nil && !leased, archived != nil && !errors.As(archived, &state):
				w.Errorf("archived: %v, leased: %v; want one of them", archived, leased)
			case leased:
				w.wantState(t, "active")
			default:
				w.wantState(t, "archived")
				_, err := w.d.Do(w.Context(), admin, run, t, nil)
				w.need(err)
			}
		}
	})
}

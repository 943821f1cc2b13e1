package task_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

type order struct {
	ID    string `json:"id"`
	Cents int    `json:"cents"`
}

type receipt struct {
	Number int `json:"number"`
}

var charge = task.Define[order, receipt]("order:charge", task.MaxRetry(5), task.Queue("money"))

func TestAKindMakesTasksOfItsType(t *testing.T) {
	tk, err := charge.New(order{ID: "o1", Cents: 200}, task.MaxRetry(7))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tk.Type(), "order:charge"; got != want || charge.Type() != want {
		t.Errorf("types of task and kind: %q, %q; want %q", got, charge.Type(), want)
	}
	if got, want := string(tk.Payload()), `{"id":"o1","cents":200}`; got != want {
		t.Errorf("Payload() = %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{"MaxRetry(7)"}, printed(tk.Options())); diff != "" {
		t.Errorf("Options (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"MaxRetry(5)", `Queue("money")`}, printed(tk.Defaults())); diff != "" {
		t.Errorf("Defaults (-want +got):\n%s", diff)
	}
}

func TestAKindSharesItsDefaultsWithNobody(t *testing.T) {
	defaults := []task.Option{task.MaxRetry(1)}
	kind := task.Define[task.None, task.None]("t", defaults...)
	defaults[0] = task.MaxRetry(2)
	tk, err := kind.New(task.None{})
	if err != nil {
		t.Fatal(err)
	}
	tk.Defaults()[0] = task.MaxRetry(3)
	if got := tk.Defaults()[0]; got != task.MaxRetry(1) {
		t.Errorf("default is now %v", got)
	}
}

func TestAKindHasNoPayloadForNone(t *testing.T) {
	kind := task.Define[task.None, task.None]("t")
	tk, err := kind.New(task.None{})
	if err != nil || tk.Payload() != nil {
		t.Errorf("New() has payload %q, error %v; want nil, nil", tk.Payload(), err)
	}
	got, err := received(t, kind.Handler(func(context.Context, task.None) (task.None, error) { return task.None{}, nil }), "t", "whatever")
	if err != nil || got != nil {
		t.Errorf("handler wrote %q, error %v; want nil, nil", got, err)
	}
}

func TestAKindsHandlerGetsTheValueAndItsOutputIsTheResult(t *testing.T) {
	var got order
	mux := task.NewMux()
	charge.Handle(mux, func(_ context.Context, in order) (receipt, error) {
		got = in
		return receipt{Number: 9}, nil
	})
	result, err := received(t, mux, "order:charge", `{"id":"o1","cents":200,"later":"ignored"}`)
	if err != nil {
		t.Fatalf("ProcessTask() = %v, want nil", err)
	}
	if want := (order{"o1", 200}); got != want {
		t.Errorf("handler got %+v, want %+v", got, want)
	}
	if got, want := string(result), `{"number":9}`; got != want {
		t.Errorf("result is %s, want %s", got, want)
	}
}

func TestAKindsHandlerFailsWithItsOwnError(t *testing.T) {
	declined := errors.New("card declined")
	h := charge.Handler(func(context.Context, order) (receipt, error) { return receipt{Number: 9}, declined })
	result, err := received(t, h, "order:charge", `{}`)
	if err != declined || result != nil {
		t.Errorf("ProcessTask() = %v with result %q, want %v with none", err, result, declined)
	}
}

func TestAKindsHandlerTakesNoOtherType(t *testing.T) {
	mux := task.NewMux()
	charge.Handle(mux, func(context.Context, order) (receipt, error) {
		t.Error("handler was called, want not")
		return receipt{}, nil
	})
	if _, err := received(t, mux, "order:charge:back", `{}`); !errors.Is(err, task.ErrHandlerNotFound) {
		t.Errorf("ProcessTask() = %v, want ErrHandlerNotFound", err)
	}
}

func TestAnUndecodablePayloadIsNotTriedAgainAndBothShapesAreNamed(t *testing.T) {
	h := charge.Handler(func(context.Context, order) (receipt, error) {
		t.Error("handler was called, want not")
		return receipt{}, nil
	})
	const wanted = "payload of order:charge cannot be decoded: want task_test.order, found "
	for _, c := range []struct{ payload, found string }{
		{`{"id":7,"b":1}`, "JSON object with keys b, id: json: cannot unmarshal number"},
		{`{"id":7,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"` + strings.Repeat("a", 50) + `":1}`,
			"JSON object with keys " + strings.Repeat("a", 40) + "…, b, c, d, e, f, g, h and 2 more: json"},
		{`[1,2]`, "JSON array of 2: json"},
		{`"secret"`, "JSON string: json"},
		{`12`, "JSON number: json"},
		{`true`, "JSON boolean: json"},
		{``, "nothing: unexpected end"},
		{"\x08\x96\x01", "3 bytes that are no JSON: invalid character"},
	} {
		_, err := received(t, h, "order:charge", c.payload)
		if !errors.Is(err, task.SkipRetry) || !errors.Is(err, task.ErrDecode) {
			t.Errorf("payload %s: got %v, want an ErrDecode that is not tried again", c.payload, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), wanted+c.found) {
			t.Errorf("payload %s:\ngot  %v\nwant %s…", c.payload, err, wanted+c.found)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("payload %s: the error tells a value: %v", c.payload, err)
		}
	}
}

func TestAResultThatCannotBeStoredIsNotTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		h    task.Handler
		want string
	}{
		"not encodable": {task.Define[task.None, chan int]("t").Handler(func(context.Context, task.None) (chan int, error) { return nil, nil }),
			"result of t: json: unsupported type: chan int"},
		"too large": {task.Define[task.None, string]("t").Handler(func(context.Context, task.None) (string, error) { return strings.Repeat("x", 2000), nil }),
			"result of t: invalid result size 2002: is larger than 1000 bytes"},
	} {
		result, err := received(t, c.h, "t", "")
		if !errors.Is(err, task.SkipRetry) || result != nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v and result %q, want %s, not tried again, and none", name, err, result, c.want)
		}
	}
}

func TestAResultCountsEvenIfTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := task.NewResultWriter(ctx, "id", 0)
	h := charge.Handler(func(context.Context, order) (receipt, error) {
		cancel()
		return receipt{Number: 3}, nil
	})
	if err := h.ProcessTask(ctx, task.Received("order:charge", []byte(`{}`), nil, w)); err != nil {
		t.Fatalf("ProcessTask() = %v, want nil", err)
	}
	if got, want := string(w.Result()), `{"number":3}`; got != want {
		t.Errorf("result is %s, want %s", got, want)
	}
}

func TestAKindsHandlerCanBeTestedWithATaskThatOneMadeOneself(t *testing.T) {
	tk, err := charge.New(order{ID: "o1"})
	if err != nil {
		t.Fatal(err)
	}
	h := charge.Handler(func(context.Context, order) (receipt, error) { return receipt{}, nil })
	if err := h.ProcessTask(t.Context(), tk); err != nil {
		t.Errorf("ProcessTask() = %v, want nil", err)
	}
}

// A counterfeit codec refuses what it is told to.
type counterfeit struct{ refuse any }

func (c counterfeit) Encode(string) ([]byte, error) {
	err, _ := c.refuse.(error)
	return nil, err
}
func (c counterfeit) Decode([]byte) (string, error) { panic(c.refuse) }

func TestACodecThatPanicsOnAPayloadRefusesIt(t *testing.T) {
	kind := task.DefineWith("t", counterfeit{"no such field"}, task.JSON[task.None]())
	h := kind.Handler(func(context.Context, string) (task.None, error) { return task.None{}, nil })
	_, err := received(t, h, "t", "x")
	if _, ok := errors.AsType[*task.PanicError](err); !ok || !errors.Is(err, task.SkipRetry) || !errors.Is(err, task.ErrDecode) {
		t.Errorf("ProcessTask() = %v, want an ErrDecode with the panic, not tried again", err)
	}
}

// A desk enqueues and waits in place of a client.
type desk struct {
	enqueued *task.Task
	options  []task.Option
	ended    *task.Info
	err      error
}

func (d *desk) Enqueue(_ context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
	d.enqueued, d.options = t, options
	return &task.Info{ID: "i", Type: t.Type(), Payload: t.Payload()}, d.err
}

func (d *desk) Wait(context.Context, *task.Info) (*task.Info, error) { return d.ended, d.err }

func TestAKindEnqueues(t *testing.T) {
	var d desk
	info, err := charge.Enqueue(t.Context(), &d, order{ID: "o1"}, task.ID("i"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`TaskID("i")`}, printed(d.options)); diff != "" {
		t.Errorf("options of the call (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"MaxRetry(5)", `Queue("money")`}, printed(d.enqueued.Defaults())); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if in, err := charge.Input(info); err != nil || in != (order{ID: "o1"}) {
		t.Errorf("Input() = %+v, %v; want what was enqueued", in, err)
	}
}

func TestWhatCannotBeEncodedIsNotEnqueued(t *testing.T) {
	odd := errors.New("odd")
	kind := task.DefineWith("t", counterfeit{odd}, task.JSON[task.None]())
	var d desk
	if _, err := kind.Enqueue(t.Context(), &d, "x"); !errors.Is(err, odd) || d.enqueued != nil {
		t.Errorf("Enqueue() = %v and enqueued %v, want %v and nothing", err, d.enqueued, odd)
	}
}

func TestAKindWaitsForAValue(t *testing.T) {
	done := &task.Info{Type: "order:charge", State: task.Completed, Result: []byte(`{"number":4}`)}
	if got, err := charge.Wait(t.Context(), &desk{ended: done}, done); err != nil || got != (receipt{4}) {
		t.Errorf("Wait() = %+v, %v; want number 4", got, err)
	}
	away := errors.New("away")
	if got, err := charge.Wait(t.Context(), &desk{ended: done, err: away}, done); err != away || got != (receipt{}) {
		t.Errorf("Wait() = %+v, %v; want nothing, %v", got, err, away)
	}
	silent := &task.Info{Type: "order:charge", State: task.Completed}
	_, err := charge.Wait(t.Context(), &desk{ended: silent}, silent)
	var found *task.DecodeError
	if !errors.As(err, &found) || found.What != "result" || found.Found != "nothing" || errors.Is(err, task.SkipRetry) {
		t.Errorf("Wait() = %v, want a DecodeError of a result that is nothing", err)
	}
}

func TestDefineRefusesNilAtOnce(t *testing.T) {
	for name, define := range map[string]func(){
		"codec":   func() { task.DefineWith[string, string]("t", nil, task.JSON[string]()) },
		"handler": func() { charge.Handler(nil) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "nil "+name) {
					t.Errorf("nil %s: panic %q, want one that says so", name, v)
				}
			}()
			define()
		}()
	}
}

// received has h process a task with that payload, and returns its result. Results
// may have a thousand bytes.
func received(t *testing.T, h task.Handler, typ, payload string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := task.NewResultWriter(ctx, "id", 1000)
	err := h.ProcessTask(ctx, task.Received(typ, []byte(payload), nil, w))
	return w.Result(), err
}

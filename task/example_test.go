package task_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
)

// An Email is the payload of both types of mail.
type Email struct {
	UserID int `json:"user_id"`
}

func sendWelcome(ctx context.Context, t *task.Task) error {
	var p Email
	if err := json.Unmarshal(t.Payload(), &p); err != nil {
		return fmt.Errorf("payload: %w: %w", err, task.SkipRetry)
	}
	fmt.Println("welcome, user", p.UserID)
	return nil
}

func sendReminder(ctx context.Context, t *task.Task) error {
	var p Email
	if err := json.Unmarshal(t.Payload(), &p); err != nil {
		return fmt.Errorf("payload: %w: %w", err, task.SkipRetry)
	}
	fmt.Println("do not forget, user", p.UserID)
	return nil
}

// One function for each type of task.
func ExampleMux() {
	mux := task.NewMux()
	mux.HandleFunc("email:welcome", sendWelcome)
	mux.HandleFunc("email:reminder", sendReminder)

	ctx := context.Background()
	for _, typ := range []string{"email:welcome", "email:reminder", "sms:welcome"} {
		if err := mux.ProcessTask(ctx, task.New(typ, []byte(`{"user_id":42}`))); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// welcome, user 42
	// do not forget, user 42
	// handler not found for task "sms:welcome"
}

// One function for all types of task.
func ExampleHandlerFunc() {
	handler := func(ctx context.Context, t *task.Task) error {
		var p Email
		if err := json.Unmarshal(t.Payload(), &p); err != nil {
			return err
		}
		switch t.Type() {
		case "email:welcome":
			fmt.Println("welcome, user", p.UserID)
		case "email:reminder":
			fmt.Println("do not forget, user", p.UserID)
		default:
			return fmt.Errorf("unexpected type of task: %s", t.Type())
		}
		return nil
	}

	var h task.Handler = task.HandlerFunc(handler)
	ctx := context.Background()
	for _, typ := range []string{"email:welcome", "email:reminder", "sms:welcome"} {
		if err := h.ProcessTask(ctx, task.New(typ, []byte(`{"user_id":42}`))); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// welcome, user 42
	// do not forget, user 42
	// unexpected type of task: sms:welcome
}

// A pattern is the beginning of types; the longest that fits wins.
func ExampleMux_Handler() {
	mux := task.NewMux()
	mux.HandleFunc("image", sendWelcome)
	mux.HandleFunc("image:thumbnail", sendReminder)

	for _, typ := range []string{"image:crop", "image:thumbnail:small", "video"} {
		_, pattern := mux.Handler(task.New(typ, nil))
		fmt.Printf("%s goes to %q\n", typ, pattern)
	}
	// Output:
	// image:crop goes to "image"
	// image:thumbnail:small goes to "image:thumbnail"
	// video goes to ""
}

// Middleware sees every task, also one that has no handler.
func ExampleMux_Use() {
	logging := func(next task.Handler) task.Handler {
		return task.HandlerFunc(func(ctx context.Context, t *task.Task) error {
			err := next.ProcessTask(ctx, t)
			fmt.Printf("%s ended with %v\n", t.Type(), err)
			return err
		})
	}
	mux := task.NewMux()
	mux.Use(logging)
	mux.HandleFunc("email:welcome", sendWelcome)

	ctx := context.Background()
	_ = mux.ProcessTask(ctx, task.New("email:welcome", []byte(`{"user_id":42}`)))
	_ = mux.ProcessTask(ctx, task.New("sms:welcome", nil))
	// Output:
	// welcome, user 42
	// email:welcome ended with <nil>
	// sms:welcome ended with handler not found for task "sms:welcome"
}

// What will not get better by itself is not worth a retry.
func ExampleSkipRetry() {
	err := sendWelcome(context.Background(), task.New("email:welcome", []byte("not JSON")))
	fmt.Println(err)
	fmt.Println("archived at once:", errors.Is(err, task.SkipRetry))
	// Output:
	// payload: invalid character 'o' in literal null (expecting 'u'): skip retry for the task
	// archived at once: true
}

// A handler that has come too early asks to be called again.
func ExampleSnooze() {
	opens := time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC)
	charge := func(now time.Time) error {
		if now.Before(opens) {
			return fmt.Errorf("bank is closed: %w", task.Snooze(opens.Sub(now)))
		}
		return nil
	}
	fmt.Println(charge(opens.Add(-2 * time.Hour)))
	// Output: bank is closed: snooze for 2h0m0s
}

// Options of the call win over the task's own, which win over the client's.
func ExampleResolve() {
	now := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	reminder := task.New("email:reminder", nil, task.Queue("mail"), task.MaxRetry(5))

	s, err := task.Resolve(now,
		[]task.Option{task.Timeout(time.Minute)}, // the client's
		reminder.Options(),
		[]task.Option{task.MaxRetry(1), task.ProcessIn(24 * time.Hour)}, // the call's
	)
	fmt.Println(s.Queue, s.MaxRetry, s.Timeout, s.ProcessAt.Format(time.DateTime), err)

	_, err = task.Resolve(now, []task.Option{task.MaxRetry(-1), task.Queue("a b"), task.Unique(0)})
	fmt.Println(err)
	// Output:
	// mail 1 1m0s 2025-06-02 12:00:00 <nil>
	// invalid task.MaxRetry -1: must be 0 to 2147483647
	// invalid task.Queue "a b": has ' ' at byte 1; allowed are letters A-Z, digits and _.:/@+-
	// invalid task.Unique 0s: must be at least 1s
}

// A test of a handler gives it what the engine would.
func ExampleReceived() {
	count := func(ctx context.Context, t *task.Task) error {
		attempt, _ := task.GetAttempt(ctx)
		_, err := fmt.Fprintf(t.ResultWriter(), "%d bytes in attempt %d", len(t.Payload()), attempt)
		return err
	}

	ctx := task.WithAttempt(context.Background(), task.Attempt{ID: "id-1", Queue: "low", Retried: 1, MaxRetry: 3})
	result := task.NewResultWriter(ctx, "id-1", 0)
	err := count(ctx, task.Received("count", []byte("hello"), nil, result))
	fmt.Printf("%s, error %v\n", result.Result(), err)
	// Output: 5 bytes in attempt 2, error <nil>
}

// A Receipt is what is left of an order that was charged.
type Receipt struct {
	Number int `json:"number"`
}

// The type, its payload and its result stand in one place; the compiler sees to it
// that those who enqueue, those who run and those who wait agree.
var Charge = task.Define[Email, Receipt]("order:charge", task.MaxRetry(5))

func ExampleDefine() {
	mux := task.NewMux()
	Charge.Handle(mux, func(ctx context.Context, in Email) (Receipt, error) {
		fmt.Println("charge user", in.UserID)
		return Receipt{Number: 7}, nil
	})

	// A program enqueues with Charge.Enqueue(ctx, client, Email{UserID: 42}).
	t, err := Charge.New(Email{UserID: 42})
	if err != nil {
		fmt.Println(err)
	}
	if err := mux.ProcessTask(context.Background(), t); err != nil {
		fmt.Println(err)
	}
	// What somebody else enqueues need not be what it should be.
	err = mux.ProcessTask(context.Background(), task.New("order:charge", []byte(`["Ann"]`)))
	fmt.Println(errors.Is(err, task.ErrDecode), errors.Is(err, task.SkipRetry))
	// Output:
	// charge user 42
	// true true
}

package queuetest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/queuetest"
	"github.com/leatwork/leat/task"
)

// A User is the payload of mails.
type User struct {
	Name string `json:"name"`
}

var (
	welcome  = task.Define[User, task.None]("email:welcome", task.Queue("mail"))
	reminder = task.Define[User, task.None]("email:reminder", task.Queue("mail"))
)

// signUp is the code under test.
func signUp(ctx context.Context, c *queue.Client, name string) error {
	if _, err := welcome.Enqueue(ctx, c, User{name}); err != nil {
		return err
	}
	_, err := reminder.Enqueue(ctx, c, User{name}, task.ProcessIn(30*24*time.Hour))
	return err
}

func ExampleRecorder() {
	rec := queuetest.NewRecorder()
	if err := signUp(context.Background(), rec.Client, "Ann"); err != nil {
		fmt.Println(err)
	}
	for _, info := range rec.Enqueued(queuetest.OfType("email:")) {
		user, err := welcome.Input(info)
		fmt.Println(info.Type, info.Queue, info.State, user.Name, err)
	}
	// Output:
	// email:welcome mail pending Ann <nil>
	// email:reminder mail scheduled Ann <nil>
}

func ExampleRecorder_Inline() {
	mux := task.NewMux()
	welcome.Handle(mux, func(_ context.Context, u User) (task.None, error) {
		fmt.Println("welcome,", u.Name)
		return task.None{}, nil
	})
	rec := queuetest.NewRecorder()
	rec.Inline(mux)
	if err := signUp(context.Background(), rec.Client, "Ann"); err != nil {
		fmt.Println(err)
	}
	fmt.Println("signed up")
	// Output:
	// welcome, Ann
	// signed up
}

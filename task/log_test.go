package task_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/leatwork/leat/task"
)

func TestWhatIsLoggedInAHandlerNamesItsTask(t *testing.T) {
	handled := task.WithAttempt(t.Context(), task.Attempt{ID: "17", Queue: "mails", Type: "email:welcome", Retried: 2, MaxRetry: 5})
	step := task.WithLogAttrs(task.WithLogAttrs(handled, slog.String("run", "r")), slog.String("step", "charge"))
	const named = " queue=mails id=17 type=email:welcome attempt=3"
	for name, test := range map[string]struct {
		ctx  context.Context
		with func(*slog.Logger) *slog.Logger
		args []any
		want string
	}{
		"what is not a handler's":       {t.Context(), nil, []any{"a", 1}, "msg=hi a=1"},
		"a handler's":                   {handled, nil, []any{"a", 1}, "msg=hi a=1" + named},
		"that of a step":                {step, nil, nil, "msg=hi" + named + " run=r step=charge"},
		"what is named already":         {handled, nil, []any{"id", "mine"}, "msg=hi id=mine queue=mails type=email:welcome attempt=3"},
		"what its logger names":         {handled, func(l *slog.Logger) *slog.Logger { return l.With("queue", "q", "b", 2) }, nil, "msg=hi queue=q b=2 id=17 type=email:welcome attempt=3"},
		"what is named without a group": {handled, func(l *slog.Logger) *slog.Logger { return l.With(slog.Group("", "queue", "q")) }, []any{slog.Group("", "id", "mine")}, "msg=hi queue=q id=mine type=email:welcome attempt=3"},
		"a logger with an open group":   {handled, func(l *slog.Logger) *slog.Logger { return l.With("b", 2).WithGroup("g").With("c", 3) }, []any{"id", "mine"}, "msg=hi b=2" + named + " g.c=3 g.id=mine"},
		"a logger with two of them":     {handled, func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").WithGroup("h") }, []any{"a", 1}, "msg=hi" + named + " g.h.a=1"},
		"a logger with nothing new":     {handled, func(l *slog.Logger) *slog.Logger { return slog.New(l.WithGroup("").Handler().WithAttrs(nil)) }, nil, "msg=hi" + named},
		"what is named by two log handlers": {handled, func(l *slog.Logger) *slog.Logger {
			return slog.New(task.LogHandler(outer{task.LogHandler(l.Handler())}))
		}, nil, "msg=hi" + named},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			text := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
					return slog.Attr{}
				}
				return a
			}})
			logger := slog.New(task.LogHandler(text))
			if test.with != nil {
				logger = test.with(logger)
			}
			logger.InfoContext(test.ctx, "hi", test.args...)
			if got := log.String(); got != test.want+"\n" {
				t.Errorf("logged %q, want %q", got, test.want)
			}
			log.Reset()
			if logger.DebugContext(test.ctx, "hi"); log.Len() > 0 {
				t.Errorf("logged %q, want nothing below the level of the next", log.String())
			}
		})
	}
}

// An outer handler is what a program may put between two.
type outer struct{ slog.Handler }

// Two contexts that are made of one do not share what is added to them.
func TestLogAttrsAreThoseOfTheirContext(t *testing.T) {
	one := task.WithLogAttrs(t.Context(), slog.Int("a", 1), slog.Int("b", 2), slog.Int("c", 3))
	two, three := task.WithLogAttrs(one, slog.Int("d", 4)), task.WithLogAttrs(one, slog.Int("e", 5))
	var log bytes.Buffer
	logger := slog.New(task.LogHandler(slog.NewTextHandler(&log, nil)))
	logger.InfoContext(two, "two")
	logger.InfoContext(three, "three")
	if !bytes.Contains(log.Bytes(), []byte("msg=two a=1 b=2 c=3 d=4\n")) || !bytes.Contains(log.Bytes(), []byte("msg=three a=1 b=2 c=3 e=5\n")) {
		t.Errorf("logged %q, want d=4 with two, and e=5 with three", log.String())
	}
}

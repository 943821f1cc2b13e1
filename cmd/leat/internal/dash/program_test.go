package dash

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// A mute broker does not answer until it is told to, whatever becomes of the question.
type mute struct {
	*model.Model
	speak chan struct{}
}

func (m mute) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	<-m.speak
	return m.Model.Counts(ctx, now, queues...)
}

// A sheet is what a program has written so far.
type sheet struct {
	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{} // something was written
}

func (s *sheet) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.written.Write(p)
}

// await waits until text has been written.
func (s *sheet) await(t *testing.T, text string) {
	t.Helper()
	for limit := time.After(time.Minute); ; {
		s.mu.Lock()
		found := strings.Contains(s.written.String(), text)
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-s.more:
		case <-limit:
			t.Fatalf("%q was not written", text)
		}
	}
}

// TestTheProgramAnswersWhileTheStorageIsSilent runs the dashboard as it is run on a
// terminal, on a storage that answers nothing before the program has ended.
func TestTheProgramAnswersWhileTheStorageIsSilent(t *testing.T) {
	b := mute{model.New(model.Options{}), make(chan struct{})}
	defer close(b.speak)
	keys, typed := io.Pipe()
	out := &sheet{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := tea.NewProgram(newApp(ctx, Options{Broker: b, Address: "silent", Refresh: MinRefresh, Timeout: time.Minute}),
		tea.WithInput(keys), tea.WithOutput(out), tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run()
		ended <- err
	}()
	for _, step := range []struct{ keys, want string }{
		{"", "silent"},
		{"?", "Everywhere"},
		{"q2", "Host:PID"},
		{"1/", "completes"},
		{"size", "how many tasks it holds"},
	} {
		if _, err := typed.Write([]byte(step.keys)); err != nil {
			t.Fatal(err)
		}
		out.await(t, step.want)
	}
	if _, err := typed.Write([]byte("\x03")); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
}

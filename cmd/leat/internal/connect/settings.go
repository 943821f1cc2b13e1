package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// ErrUnreachable is that the storage did not answer.
var ErrUnreachable = errors.New("cannot be reached")

// Settings are what the user says of the storage.
type Settings struct {
	Broker string // its URL, as in [brokerurl.Forms]
}

// Flags adds the flags by which settings are said.
func (s *Settings) Flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.Broker, "broker", "", "where tasks are stored: "+brokerurl.Forms)
}

// Open opens the storage that the settings come to. The error matches
// [task.ErrInvalid] if they make no sense, and [ErrUnreachable] if nothing answers.
func (s *Settings) Open(ctx context.Context, getenv func(string) string) (broker.Broker, error) {
	url := s.Broker
	if url == "" {
		url = getenv("LEAT_BROKER")
	}
	if url == "" {
		url = "redis://127.0.0.1:6379/0"
	}
	b, err := brokerurl.Open(url)
	if err != nil && !errors.Is(err, task.ErrInvalid) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return b, err
}

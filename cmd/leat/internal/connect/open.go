package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// ErrUnreachable is that the storage did not answer, or cannot be used: a wrong password
// is one of the reasons.
var ErrUnreachable = errors.New("storage cannot be reached")

// Open opens the storage that the settings come to. A file of SQLite that is not there
// is made only if create is true. The error matches [task.ErrInvalid] if the settings
// make no sense, [fs.ErrNotExist] if a file is not there, and [ErrUnreachable] if
// nothing answers that can be used. It takes some seconds at most.
func (s *Settings) Open(_ context.Context, create bool) (broker.Broker, error) {
	t, err := s.target()
	if err != nil {
		return nil, err
	}
	options := brokerurl.Options{Prefix: t.prefix, Events: s.Events, Logger: slog.New(slog.DiscardHandler)}
	if t.secure {
		if options.TLS, err = s.values.tlsConfig(); err != nil {
			return nil, err
		}
	}
	if path, sqlite := strings.CutPrefix(t.url, "sqlite:"); sqlite && !create {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no SQLite file %s: %w", path, fs.ErrNotExist)
		}
	}
	b, err := brokerurl.OpenWith(t.url, options)
	if err != nil && !errors.Is(err, task.ErrInvalid) {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return b, err
}

// Check reports whether the settings make sense, without opening anything.
func (s *Settings) Check() error {
	t, err := s.target()
	if err == nil && t.secure {
		_, err = s.values.tlsConfig()
	}
	return err
}

// URL returns the URL that the settings come to, without passwords.
func (s *Settings) URL() (string, error) {
	t, err := s.target()
	return Redacted(t.url), err
}

// Unreachable reports whether err, of a call to the storage, is that it did not answer.
func Unreachable(err error) bool {
	var network net.Error
	return errors.Is(err, ErrUnreachable) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network)
}

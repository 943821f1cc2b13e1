package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
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
// nothing answers that can be used. It takes some seconds at most, or until ctx ends.
func (s *Settings) Open(ctx context.Context, create bool) (broker.Broker, error) {
	t, err := s.target()
	if err != nil {
		return nil, err
	}
	options := brokerurl.Options{Prefix: t.prefix, Events: s.Events, MustExist: !create, Logger: slog.New(slog.DiscardHandler)}
	if t.secure {
		if options.TLS, err = s.values.tlsConfig(); err != nil {
			return nil, err
		}
	}
	b, err := openWhile(ctx, t.url, options)
	switch path, sqlite := strings.CutPrefix(t.url, "sqlite:"); {
	case err == nil, errors.Is(err, task.ErrInvalid), errors.Is(err, context.Canceled):
	case sqlite && errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no SQLite file %s: %w", path, fs.ErrNotExist)
	default:
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return b, err
}

// openWhile opens a storage unless ctx ends before: one that opens later is closed.
func openWhile(ctx context.Context, url string, o brokerurl.Options) (broker.Broker, error) {
	type opening struct {
		broker.Broker
		err error
	}
	opened := make(chan opening, 1)
	go func() {
		b, err := brokerurl.OpenWith(url, o)
		opened <- opening{b, err}
	}()
	select {
	case o := <-opened:
		return o.Broker, o.err
	case <-ctx.Done():
		go func() {
			if late := <-opened; late.err == nil {
				_ = late.Close() // nobody is left to tell
			}
		}()
		return nil, fmt.Errorf("%s: %w", Redacted(url), ctx.Err())
	}
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
	for _, silence := range []error{ErrUnreachable, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF} {
		if errors.Is(err, silence) {
			return true
		}
	}
	_, network := errors.AsType[*net.OpError](err) // a fault of a file is a net.Error, too
	return network
}

package command

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web"
)

// again is how much time passes before a storage that could not be opened is tried again.
const again = 5 * time.Second

// A place is one of several installations that are served: a profile of the config file.
type place struct {
	profile  string
	settings *connect.Settings
	config   web.Config

	shown  atomic.Pointer[web.Handler] // what is served now
	broker atomic.Pointer[broker.Broker]
}

// newPlace returns the place of a profile, which shows that it has no storage yet.
func newPlace(profile string, s *connect.Settings, cfg web.Config) (*place, error) {
	cfg.Root += "/" + profile
	cfg.Name, cfg.Color = cmp.Or(s.Value("name"), profile), s.Value("badge_color")
	cfg.Logger = cfg.Logger.With("profile", profile)
	p := &place{profile: profile, settings: s, config: cfg}
	return p, s.Check()
}

// installation is the place as the others lead to it.
func (p *place) installation() web.Installation {
	return web.Installation{Name: p.config.Name, URL: p.config.Root, Color: p.config.Color}
}

// absent has everybody told that there is no storage.
func (p *place) absent() error {
	h, err := web.Absent(p.config)
	if err == nil {
		p.shown.Store(h)
	}
	return err
}

// keepOpening opens the storage, again and again until that succeeds or ctx ends, and then
// calls opened. tried is called after the first time.
func (p *place) keepOpening(ctx context.Context, tried func(), opened func(broker.Broker)) {
	once := sync.OnceFunc(tried)
	defer once()
	told := "" // to the log, once
	for {
		err := p.open(ctx)
		if err == nil {
			opened(*p.broker.Load())
			return
		}
		if ctx.Err() != nil {
			return
		}
		if text := err.Error(); text != told {
			p.config.Logger.LogAttrs(ctx, slog.LevelWarn, "a storage cannot be opened, and is tried again", slog.String("err", text))
			told = text
		}
		once()
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
	}
}

// open opens the storage, and shows it.
func (p *place) open(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	b, err := p.settings.Open(patient, false)
	if err != nil {
		return err
	}
	cfg := p.config
	cfg.Broker = b
	h, err := web.New(cfg)
	if err != nil {
		return errors.Join(err, b.Close())
	}
	p.broker.Store(&b)
	return p.shown.Swap(h).Close()
}

// answers asks the storage whether it answers.
func (p *place) answers(ctx context.Context) error {
	if b := p.broker.Load(); b != nil {
		return answers(*b)(ctx)
	}
	return connect.ErrUnreachable
}

// ServeHTTP serves the dashboard, or what stands in for it.
func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.shown.Load().ServeHTTP(w, r) }

// close ends everything.
func (p *place) close() (err error) {
	err = p.shown.Load().Close()
	if b := p.broker.Load(); b != nil {
		err = errors.Join(err, (*b).Close())
	}
	return err
}

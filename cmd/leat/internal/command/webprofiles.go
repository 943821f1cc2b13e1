package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/serve"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// firstLook is for how long those who ask wait at the beginning until storages are open.
const firstLook = 3 * time.Second

// pathName is what a profile may be called that is the name of a path.
var pathName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// besides are the paths of what is beside the dashboards.
var besides = []string{serve.LivePath, serve.ReadyPath, figuresPath, strings.TrimSuffix(serve.ProfilePath, "/")}

// soundProfiles refuses what makes no sense with several profiles.
func (d *dashboard) soundProfiles() (err error) {
	for i, name := range d.profiles {
		switch {
		case !pathName.MatchString(name):
			err = errors.Join(err, task.Invalid("--profiles", name, "must be a name of letters, digits and _.- which can be a path"))
		case slices.Contains(besides, strings.TrimSuffix(d.mount, "/")+"/"+name):
			err = errors.Join(err, task.Invalid("--profiles", name, "is the path of something else: --root puts all profiles below a path of their own"))
		case slices.Contains(d.profiles[:i], name):
			err = errors.Join(err, task.Invalid("--profiles", name, "is named twice"))
		}
	}
	for _, v := range d.Beside(!d.told["profiles"]) {
		err = errors.Join(err, usage(fmt.Errorf("%s contradicts --profiles: where each storage is, its profile says", v.From)))
	}
	for _, flag := range []string{"name", "badge-color"} {
		if d.told[flag] {
			err = errors.Join(err, usage(fmt.Errorf("--%s contradicts --profiles: each profile says its own", flag)))
		}
	}
	if d.prometheus != "" {
		err = errors.Join(err, usage(errors.New("--prometheus-addr contradicts --profiles: it is about one storage")))
	}
	return err
}

// A gallery is all places that are served.
type gallery []*place

// places returns a place for each profile, which knows of the others.
func (d *dashboard) places() (all gallery, faults error) {
	cfg, err := d.config()
	if err != nil {
		return nil, err
	}
	for _, name := range d.profiles {
		s, err := d.Of(name, "--profiles")
		if err != nil {
			return nil, err
		}
		cfg.Timeout, cfg.Refresh = s.Timeout(), d.pace(s)
		p, err := newPlace(name, s, cfg)
		if err != nil {
			faults = errors.Join(faults, fmt.Errorf("profile %s: %w", name, err))
		}
		all = append(all, p)
	}
	for _, p := range all {
		for _, other := range all {
			if other != p {
				p.config.Others = append(p.config.Others, other.installation())
			}
		}
		if err := p.absent(); err != nil {
			faults = errors.Join(faults, usage(fmt.Errorf("profile %s: %w", p.profile, err)))
		}
	}
	return all, faults
}

// pace returns how often what a profile shows is read anew.
func (d *dashboard) pace(s *connect.Settings) time.Duration {
	every, err := time.ParseDuration(s.Value("refresh"))
	if d.told["refresh"] || err != nil {
		return d.refresh
	}
	return every
}

// serveProfiles serves a dashboard for each profile until ctx is done. Those whose storage
// cannot be opened say so until it can.
func (d *dashboard) serveProfiles(ctx context.Context) (err error) {
	all, err := d.places()
	if err != nil {
		return err
	}
	if err := d.server.Listen(ctx); err != nil {
		return err
	}
	exported := newExports(d.server.Logger)
	opening, stop := context.WithCancel(ctx)
	var going sync.WaitGroup
	defer func() {
		stop()
		going.Wait()
		err = errors.Join(err, all.close())
	}()
	all.open(opening, &going, func(p *place, b broker.Broker) {
		if bad := exported.add(p.profile, b); bad != nil {
			d.server.Logger.LogAttrs(ctx, slog.LevelError, "figures are not exported", slog.String("profile", p.profile), slog.Any("err", bad))
		}
	})
	if err := d.Note("leat web: the dashboard is at %s%s/, %s: %s", d.server.URL(), d.mount, d.audience(), strings.Join(d.profiles, ", ")); err != nil {
		return err
	}
	return d.server.Run(ctx, d.galleryRoutes(all, exported))
}

// open begins to open all storages, and returns when each was tried once, or after some
// seconds.
func (g gallery) open(ctx context.Context, going *sync.WaitGroup, opened func(*place, broker.Broker)) {
	var first sync.WaitGroup
	for _, p := range g {
		first.Add(1)
		going.Go(func() { p.keepOpening(ctx, first.Done, func(b broker.Broker) { opened(p, b) }) })
	}
	tried := make(chan struct{})
	going.Go(func() { first.Wait(); close(tried) })
	select {
	case <-tried:
	case <-time.After(firstLook):
	}
}

func (g gallery) close() (err error) {
	for _, p := range g {
		err = errors.Join(err, p.close())
	}
	return err
}

// answers asks whether any of the storages answers: one that does not keeps nobody from the
// others.
func (g gallery) answers(ctx context.Context) error {
	said := make(chan error, len(g))
	for _, p := range g {
		go func() { said <- p.answers(ctx) }()
	}
	var err error
	for range g {
		if err = <-said; err == nil {
			return nil
		}
	}
	return err
}

// galleryRoutes returns all dashboards with what is beside them.
func (d *dashboard) galleryRoutes(all gallery, exported *exports) http.Handler {
	mux, first := http.NewServeMux(), all[0]
	guarded := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { first.shown.Load().Guard(h).ServeHTTP(w, r) })
	}
	probes := serve.Probes(all.answers)
	mux.Handle(serve.LivePath, probes)
	mux.Handle(serve.ReadyPath, probes)
	if d.metrics {
		figures := exported.handler()
		if !d.metricsOpen {
			figures = guarded(figures)
		}
		mux.Handle("GET "+figuresPath, figures)
	}
	if d.pprof {
		mux.Handle(serve.ProfilePath, guarded(serve.Profiles()))
	}
	for _, p := range all {
		mux.Handle(p.config.Root, p)
		mux.Handle(p.config.Root+"/", p)
		mux.Handle("GET "+p.config.Root+serve.ReadyPath, http.StripPrefix(p.config.Root, serve.Probes(p.answers)))
	}
	lead := guarded(http.RedirectHandler(first.config.Root+"/", http.StatusTemporaryRedirect))
	mux.Handle("GET "+d.mount+"/{$}", lead)
	if d.mount != "" {
		mux.Handle("GET "+d.mount, lead)
	}
	return mux
}

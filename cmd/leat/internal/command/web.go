package command

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/serve"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web"
)

// A dashboard is a call of "web".
type dashboard struct {
	*app
	webOptions
	server serve.Server
}

func (a *app) webCommand() *cobra.Command {
	d := &dashboard{app: a}
	c := &cobra.Command{
		Use:   "web",
		Short: "Serve the dashboard to browsers",
		Long: `Serve the dashboard to browsers, until it is interrupted.

By default only this machine is listened to, and whoever asks from there may do everything.
To serve others, say how to know who asks: --user-file, --token-file or --trusted-header; or
what everybody may do: --anyone viewer. /healthz tells whether the process lives, /readyz
whether the storage answers, both to everybody.

Each flag has a variable in the environment: LEAT_WEB_PORT for --port, and so on. The flags
of asynqmon are understood, and its variables: PORT, REDIS_URL, REDIS_ADDR and the others;
what Leat's own say counts more.`,
		Example: `leat web
leat web --broker redis://localhost:6379/0 --port 3000
leat web --host 0.0.0.0 --user-file users
leat web --profiles shop,staging
leat web --redis-addr redis:6379 --enable-metrics-exporter
leat web --hash < password`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c) },
	}
	d.flags(c.Flags())
	return c
}

func (d *dashboard) run(c *cobra.Command) error {
	if d.hash {
		return d.writeHash()
	}
	if err := errors.Join(d.fill(c.LocalNonPersistentFlags(), d.environ), d.sound()); err != nil {
		return err
	}
	d.mount = strings.TrimSuffix(d.mount, "/")
	if d.check {
		d.likeFirst()
	}
	d.server = serve.Server{Host: d.host, Port: d.port, Cert: d.cert, Key: d.key, Logger: d.logger()}
	if d.check {
		return d.server.Check(c.Context())
	}
	if len(d.profiles) > 0 {
		return d.serveProfiles(c.Context())
	}
	return d.serve(c.Context())
}

// logger returns who is told what an operator should know, on standard error.
func (d *dashboard) logger() *slog.Logger {
	least := slog.LevelInfo
	switch {
	case d.accessLog:
		least = slog.LevelDebug
	case d.Quiet:
		least = slog.LevelWarn
	}
	return slog.New(slog.NewTextHandler(d.Err, &slog.HandlerOptions{Level: least}))
}

// serve serves until ctx is done.
func (d *dashboard) serve(ctx context.Context) (err error) {
	cfg, err := d.config()
	if err != nil {
		return err
	}
	if err := d.server.Listen(ctx); err != nil { // before the storage: it is told at once
		return err
	}
	if cfg.Broker, err = d.open(ctx); err != nil {
		return err
	}
	h, err := web.New(cfg)
	if err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	all, err := d.routes(cfg, h)
	if err != nil {
		return err
	}
	if err := d.Note("leat web: the dashboard is at %s%s/, %s", d.server.URL(), d.mount, d.audience()); err != nil {
		return err
	}
	return d.server.Run(ctx, all)
}

// routes returns the dashboard with what is beside it.
func (d *dashboard) routes(cfg web.Config, h *web.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	probes := serve.Probes(answers(cfg.Broker))
	mux.Handle(serve.LivePath, probes)
	mux.Handle(serve.ReadyPath, probes)
	if d.metrics {
		exported, err := exporter(cfg.Broker, cfg.Logger)
		if err != nil {
			return nil, err
		}
		if !d.metricsOpen {
			exported = h.Guard(exported)
		}
		mux.Handle("GET "+figuresPath, exported)
	}
	if d.pprof {
		mux.Handle(serve.ProfilePath, h.Guard(serve.Profiles()))
	}
	mux.Handle("/", h)
	return mux, nil
}

// answers returns what asks a storage whether it answers.
func answers(b broker.Broker) func(context.Context) error {
	i := queue.NewInspector(b)
	return func(ctx context.Context) error {
		_, err := i.Queues(ctx)
		return err
	}
}

package web

import (
	"errors"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// A Config says what a dashboard shows, and to whom.
type Config struct {
	// Broker is what is shown. It stays the caller's, who closes it after the handler.
	Broker broker.Broker

	// Root is the path at which the handler is mounted, such as "/leat": it begins with
	// a slash and does not end with one. "": all paths are its own.
	Root string

	// Name is shown on every page, so that nobody takes one installation for another.
	Name string

	// Color is that of the badge in which Name is shown: one of [Colors]. "": that of links.
	Color string

	// Others are other installations, to whose dashboards a menu behind Name leads: to the
	// page on which one is, where that makes sense.
	Others []Installation

	// Authoriser says who asks. nil: [access.Loopback], which serves only those who come
	// from this machine, as admin.
	Authoriser access.Authoriser

	// Hosts are names, besides localhost and addresses, under which those may ask whom
	// the Authoriser takes for somebody without a credential.
	Hosts []string

	// Mask lists what of payloads, results and headers is hidden from those whose role is
	// below Unmasked, and may not be asked for by them: paths into JSON such as
	// "card.number", "users.*.token" or "**.password", headers as "header:authorization",
	// or "*" for everything.
	Mask []string

	// Unmasked is the role from which on nothing is hidden. Nobody: admin.
	Unmasked access.Role

	// ReadOnly has nothing changed, whoever asks.
	ReadOnly bool

	// MaxPayload and MaxResult are how many characters of a payload and of a result a list
	// shows. 0: 200.
	MaxPayload, MaxResult int

	// Prometheus is the address of a Prometheus server that scrapes the metrics of this
	// storage, for charts over longer ranges: http://127.0.0.1:9090. Nobody who looks is
	// told it. "": there is none.
	Prometheus string

	// Links lead from each task and run that has what they need to other systems.
	Links []Link

	// Jaeger is the address of a Jaeger that has the traces of this storage, to which each
	// task and run with a trace then leads: http://127.0.0.1:16686. "": there is none.
	Jaeger string

	// FormatPayload and FormatResult write a payload, or a result, as those who look read
	// it; "" for what they do not know. They get what who looks may see of it. They are
	// called from several goroutines, and not waited for longer than a second. nil: there is
	// none.
	FormatPayload, FormatResult func(typ string, b []byte) string

	// Refresh is how often what somebody looks at is read anew, once for all who look at
	// the same. At least 500 milliseconds. 0: 2 seconds.
	Refresh time.Duration

	// Timeout is how long a page may wait for the storage. 0: 10 seconds.
	Timeout time.Duration

	// Logger is told what an operator should know. nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultRefresh = 2 * time.Second
	leastRefresh   = 500 * time.Millisecond
	defaultTimeout = 10 * time.Second
)

// check returns what makes no sense in c, all of it.
func (c Config) check() error {
	faults := c.badgeFaults()
	fault := func(field string, value any, reason string) {
		faults = append(faults, task.Invalid("Config."+field, value, reason))
	}
	if c.Root != "" && (!strings.HasPrefix(c.Root, "/") || strings.HasSuffix(c.Root, "/") || strings.ContainsAny(c.Root, "?#%\\ {}") || path.Clean(c.Root) != c.Root) {
		fault("Root", c.Root, "must begin with a slash, not end with one, and be a plain path")
	}
	if c.Refresh < 0 || c.Refresh > 0 && c.Refresh < leastRefresh {
		fault("Refresh", c.Refresh, "must be at least "+leastRefresh.String())
	}
	if c.MaxPayload < 0 || c.MaxResult < 0 {
		fault("MaxPayload", min(c.MaxPayload, c.MaxResult), "must not be negative, nor must MaxResult")
	}
	if c.Timeout < 0 {
		fault("Timeout", c.Timeout, "must not be negative")
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.Authoriser == nil {
		c.Authoriser = access.Loopback()
	}
	if c.Unmasked == access.Nobody {
		c.Unmasked = access.Admin
	}
	if c.Refresh == 0 {
		c.Refresh = defaultRefresh
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

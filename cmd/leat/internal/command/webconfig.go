package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/leatwork/leat/cmd/leat/internal/serve"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

// sound refuses what makes no sense, before anything is opened.
func (d *dashboard) sound() (err error) {
	fault := func(format string, args ...any) { err = errors.Join(err, usage(fmt.Errorf(format, args...))) }
	if !serve.IsLoopback(d.host) {
		if d.openTo() == "" && len(d.credentials()) == 0 {
			fault("--host %s lets others in than those on this machine: say how to know who asks, by --user-file, --token-file or --trusted-header, or what everybody may do, by --anyone viewer", d.host)
		}
		if d.pprof {
			fault("--pprof is for this machine only: not with --host %s", d.host)
		}
	}
	if d.metricsOpen && !d.metrics {
		fault("--metrics-open makes no sense without --enable-metrics-exporter")
	}
	if d.header == "" && (len(d.proxies) > 0 || d.roleHeader != "") {
		fault("--trusted-proxy and --trusted-role-header make no sense without --trusted-header")
	}
	if len(d.profiles) > 0 {
		err = errors.Join(err, d.soundProfiles())
	}
	if d.maxPayload < 1 || d.maxResult < 1 {
		fault("--max-payload-length and --max-result-length must be positive")
	}
	return err
}

// links returns where tasks and runs lead, besides to Jaeger.
func (o *webOptions) links() []web.Link {
	if o.trace == "" {
		return nil
	}
	return []web.Link{{Name: "Trace", Template: o.trace}}
}

// config returns what the dashboard is to be, but for its storage.
func (d *dashboard) config() (web.Config, error) {
	unmasked, bad := access.ParseRole(d.unmask)
	if bad != nil || unmasked == access.Nobody {
		bad = task.Invalid("--unmask-for", d.unmask, "must be viewer, operator or admin")
	}
	a, err := d.authoriser()
	return web.Config{
		Authoriser: a,
		Root:       d.mount,
		Name:       d.name,
		Color:      d.color,
		Hosts:      d.allowed,
		ReadOnly:   d.readOnly,
		Mask:       d.mask,
		Unmasked:   unmasked,
		MaxPayload: d.maxPayload,
		MaxResult:  d.maxResult,
		Links:      d.links(),
		Jaeger:     d.jaeger,
		Prometheus: d.prometheus,
		Refresh:    d.refresh,
		Timeout:    d.Timeout(),
		Logger:     d.server.Logger,
	}, errors.Join(bad, err)
}

// audience tells whom the dashboard is for.
func (d *dashboard) audience() string {
	who := "for who is on this machine"
	switch role := d.openTo(); {
	case role != "":
		who = "for everybody, as " + role
	case len(d.credentials()) > 0:
		who = "for those whom " + strings.Join(d.credentials(), " and ") + " knows"
	}
	if d.readOnly {
		who += ", who can change nothing"
	}
	return who
}

package command

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/leatwork/leat/cmd/leat/internal/serve"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

// sound refuses what makes no sense, before anything is opened.
func (d *dashboard) sound() error {
	var faults []error
	if !serve.IsLoopback(d.host) {
		if d.anyone == "" {
			faults = append(faults, usage(fmt.Errorf("--host %s lets others in than this machine: say --anyone viewer, or what else everybody may do", d.host)))
		}
		if d.pprof {
			faults = append(faults, usage(fmt.Errorf("--pprof is for this machine only: not with --host %s", d.host)))
		}
	}
	if d.metricsOpen && !d.metrics {
		faults = append(faults, usage(errors.New("--metrics-open makes no sense without --enable-metrics-exporter")))
	}
	return errors.Join(faults...)
}

// config returns what the dashboard is to be, but for its storage.
func (d *dashboard) config() (web.Config, error) {
	cfg := web.Config{
		Root: d.mount, Name: d.name, Hosts: d.allowed, ReadOnly: d.readOnly,
		Refresh: d.refresh, Timeout: d.Timeout(), Logger: d.server.Logger,
	}
	var err error
	cfg.Authoriser, err = d.authoriser()
	return cfg, err
}

// authoriser returns who says who asks; nil: whoever is on this machine does.
func (d *dashboard) authoriser() (access.Authoriser, error) {
	if d.anyone == "" {
		return nil, nil //nolint:nilnil // as web.Config has it
	}
	role, err := access.ParseRole(d.anyone)
	if err != nil || role == access.Nobody {
		return nil, task.Invalid("--anyone", d.anyone, "must be viewer, operator or admin")
	}
	return access.AuthoriserFunc(func(*http.Request) (access.Identity, error) {
		return access.Identity{Role: role, Weak: true}, nil
	}), nil
}

// audience tells whom the dashboard is for.
func (d *dashboard) audience() string {
	who := "for who is on this machine"
	if d.anyone != "" {
		who = "for everybody, as " + d.anyone
	}
	if d.readOnly {
		who += ", who can change nothing"
	}
	return who
}

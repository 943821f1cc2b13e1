package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
)

// webOptions are what can be said of the dashboard, besides of the storage.
type webOptions struct {
	host        string
	port        uint16
	mount, name string
	color       string
	profiles    []string
	allowed     []string // hosts
	refresh     time.Duration
	readOnly    bool
	maxPayload  int
	maxResult   int
	users       string // a file
	tokens      string // a file
	header      string
	roleHeader  string
	proxies     []string
	anyone      string
	cert, key   string
	mask        []string
	unmask      string
	trace       string
	jaeger      string
	prometheus  string
	metrics     bool
	metricsOpen bool
	accessLog   bool
	pprof       bool
	check, hash bool

	told map[string]bool // flags that are on the command line
}

// flags adds a flag for each.
func (o *webOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.host, "host", "127.0.0.1", "the address to listen on; 0.0.0.0: all, which needs a way to know who asks")
	f.Uint16Var(&o.port, "port", 8080, "the port to listen on; 0: one that is free")
	f.StringVar(&o.mount, "root", "", "the path below which everything is, such as /leat, behind a proxy")
	f.StringVar(&o.name, "name", "", "what this installation is called on every page")
	f.StringVar(&o.color, "badge-color", "", "the colour of the badge with that name: "+strings.Join(web.Colors(), ", "))
	f.StringSliceVar(&o.profiles, "profiles", nil, "the profiles of the config file that are served, each below its own path; several with commas")
	f.StringSliceVar(&o.allowed, "allow-host", nil, "a name under which who has no credential may ask, besides localhost and addresses; may be given several times")
	f.DurationVar(&o.refresh, "refresh", 2*time.Second, "how often what is shown is read anew, once for all who look")
	f.BoolVar(&o.readOnly, "read-only", false, "change nothing, whoever asks")
	f.IntVar(&o.maxPayload, "max-payload-length", 200, "how many characters of a payload a list shows")
	f.IntVar(&o.maxResult, "max-result-length", 200, "how many characters of a result a list shows")
	f.StringVar(&o.users, "user-file", "", "a file with a line NAME:ROLE:HASH for each user; see --hash")
	f.StringVar(&o.tokens, "token-file", "", "a file with a line NAME:ROLE:TOKEN for each program")
	f.StringVar(&o.header, "trusted-header", "", "the header in which a proxy says who asks")
	f.StringVar(&o.roleHeader, "trusted-role-header", "", "the header in which it says the role; without, everybody whom it names is an admin")
	f.StringSliceVar(&o.proxies, "trusted-proxy", nil, "the address of that proxy, or a network such as 10.0.0.0/8; may be given several times")
	f.StringVar(&o.anyone, "anyone", "", "the role of everybody, without a credential: viewer, operator or admin")
	f.StringVar(&o.cert, "serve-cert", "", "a file with the certificate to serve https with")
	f.StringVar(&o.key, "serve-key", "", "a file with the key of that")
	f.StringSliceVar(&o.mask, "mask", nil, "what of payloads, results and headers is hidden: card.number, **.password, header:authorization, or * for all; several with commas")
	f.StringVar(&o.unmask, "unmask-for", "admin", "the least role from which nothing is hidden: viewer, operator or admin")
	f.StringVar(&o.trace, "trace-url", "", "the URL of a page that shows the trace of a task or run, with {trace_id} in it, or what else is known of it")
	f.StringVar(&o.jaeger, "jaeger", "", "the URL of a Jaeger that has the traces, http://HOST:16686")
	f.StringVar(&o.prometheus, "prometheus-addr", "", "the URL of a Prometheus server, for charts of long ranges")
	f.BoolVar(&o.metrics, "enable-metrics-exporter", false, "export figures to Prometheus at /metrics")
	f.BoolVar(&o.metricsOpen, "metrics-open", false, "export them to everybody who asks")
	f.BoolVar(&o.accessLog, "access-log", false, "log every request")
	f.BoolVar(&o.pprof, "pprof", false, "answer go tool pprof at /debug/pprof/, to admins on this machine only")
	f.BoolVar(&o.check, "check", false, "ask the one that is running whether it lives, and exit with 0 or 5")
	f.BoolVar(&o.hash, "hash", false, "read a password, and write what stands for it in a user file")
	connect.AliasFlags(f)
}

// asynqmonFlags are those that asynqmon has, besides those of [connect.Aliases]: their
// variables of the environment have no prefix.
var asynqmonFlags = []string{"port", "enable-metrics-exporter", "prometheus-addr", "read-only", "max-payload-length", "max-result-length"}

// webVariables returns the variables of the environment that say what a flag of the
// dashboard would; the first counts.
func webVariables(flag string) []string {
	name := strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	all := []string{webPrefix + name}
	if slices.Contains(asynqmonFlags, flag) {
		all = append(all, name)
	}
	return all
}

const webPrefix = "LEAT_WEB_"

// onlyFlags are for the command line alone, or have a variable elsewhere.
var onlyFlags = []string{"check", "hash", "help", "refresh"}

// webFlags returns the flags of the dashboard that have variables.
func webFlags(flags *pflag.FlagSet) []*pflag.Flag {
	not := slices.Clone(onlyFlags)
	for _, a := range connect.Aliases() {
		not = append(not, strings.ReplaceAll(a.Name, "_", "-"))
	}
	var all []*pflag.Flag
	flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(not, f.Name) {
			all = append(all, f)
		}
	})
	return all
}

// allWebVariables returns the variables that the dashboard knows.
func allWebVariables() []string {
	var all []string
	flags := pflag.NewFlagSet("web", pflag.ContinueOnError)
	(&webOptions{}).flags(flags)
	for _, f := range webFlags(flags) {
		all = append(all, webVariables(f.Name)...)
	}
	return all
}

// fill takes from an environment what the command line does not say.
func (o *webOptions) fill(flags *pflag.FlagSet, environ []string) (err error) {
	o.told = map[string]bool{"refresh": flags.Changed("refresh")} // whose variable is elsewhere
	for _, f := range webFlags(flags) {
		if f.Changed {
			o.told[f.Name] = true
			continue
		}
		for _, name := range webVariables(f.Name) {
			text := connect.Variable(environ, name)
			if text == "" || strings.HasPrefix(text, "tcp://") { // which Kubernetes says in LEAT_WEB_PORT of a service leat-web
				continue
			}
			if bad := f.Value.Set(text); bad != nil {
				err = errors.Join(err, task.Invalid(name, text, fmt.Sprintf("must be a %s", f.Value.Type())))
			}
			break
		}
	}
	return err
}

// singleDash returns args with a second dash before the names of asynqmon's flags that stand
// behind one, as they may where Go's package flag reads them. -port=3000 would otherwise
// be a password.
func singleDash(args []string) []string {
	web := slices.Index(args, "web")
	if web < 0 {
		return args
	}
	known := slices.Clone(asynqmonFlags)
	for _, a := range connect.Aliases() {
		known = append(known, strings.TrimPrefix(a.Flag(), "--"))
	}
	args = slices.Clone(args)
	for i, arg := range args[web:] {
		name, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(arg, "-"), "_", "-"), "=")
		switch {
		case arg == "--":
			return args
		case strings.HasPrefix(arg, "-") && slices.Contains(known, name):
			args[web+i] = "-" + arg
		}
	}
	return args
}

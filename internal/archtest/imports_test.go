package archtest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// allow lists, for each package of the module, what it may import besides the
// standard library: packages of the module by their path within it, others by
// their module. A package that is missing here fails the test: to add one is a
// decision about the architecture. Below a path that ends in "/" all may
// import all.
var allow = map[string][]string{
	"task":          {},
	"task/protobuf": {"task", "google.golang.org/protobuf"},

	"queue/broker":           {"task"},
	"queue/brokertest":       {"task", "queue/broker", "queue/brokertest/model", "pgregory.net/rapid", "github.com/google/go-cmp"},
	"queue/brokertest/model": {"task", "queue/broker", "internal/wake"},
	"queue/redisbroker":      {"task", "queue/broker", "internal/shard", "internal/wire", "github.com/redis/go-redis/v9", "github.com/google/uuid"},
	"queue/sqlitebroker":     {"task", "queue/broker", "internal/wake", "github.com/ncruces/go-sqlite3"},
	"queue/brokerurl":        {"task", "queue/broker", "queue/redisbroker", "queue/sqlitebroker"},
	"queue/queuetest":        {"task", "queue", "queue/broker", "queue/brokertest/model"},
	"queue":                  {"task", "queue/broker", "internal/history", "internal/loop", "github.com/google/uuid"},

	"workflow":               {"task", "queue", "queue/broker", "workflow/internal/plan", "internal/aside", "internal/gather", "internal/tick", "github.com/google/uuid"},
	"workflow/dag":           {"task", "workflow", "workflow/internal/plan"},
	"workflow/internal/plan": {"task"},
	"workflow/workflowtest":  {"task", "queue", "queue/broker", "queue/brokertest/model", "workflow", "workflow/internal/plan"},

	"periodic":               {"task", "queue", "queue/broker", "internal/aside", "internal/loop", "internal/tick", "periodic/internal/cron", "github.com/google/uuid"},
	"periodic/internal/cron": {"task", "github.com/robfig/cron/v3"},
	"periodic/yamlfile":      {"task", "internal/tick", "periodic", "go.yaml.in/yaml/v3"},

	// The only package that imports OpenTelemetry.
	"tracing": {"task", "queue", "queue/broker", "workflow", "periodic", "go.opentelemetry.io/otel"},

	// The only package that imports the Prometheus client.
	"metrics": {"task", "queue", "queue/broker", "internal/loop", "workflow", "periodic", "github.com/prometheus/client_golang"},

	"health": {"queue"},

	"aggregate": {"task", "queue", "queue/broker", "internal/aside", "internal/gather"},

	// The only packages that import the libraries of the command line and the terminal.
	"cmd/leat":                  {"cmd/leat/internal/command"},
	"cmd/leat/internal/command": {"internal/quantity", "internal/nearest", "task", "queue", "queue/broker", "workflow", "workflow/dag", "periodic", "periodic/yamlfile", "github.com/google/uuid", "cmd/leat/internal/connect", "cmd/leat/internal/output", "cmd/leat/internal/dash", "cmd/leat/internal/serve", "internal/drawing", "internal/layout", "internal/pace", "internal/plain", "internal/query", "internal/tail", "internal/view", "web", "web/access", "metrics", "github.com/prometheus/client_golang", "go.yaml.in/yaml/v3", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
	"cmd/leat/internal/serve":   {"task", "web/access"},
	"cmd/leat/internal/connect": {"internal/nearest", "task", "queue/broker", "queue/brokerurl", "github.com/spf13/pflag", "go.yaml.in/yaml/v3"},
	"cmd/leat/internal/output":  {"task", "internal/plain", "github.com/charmbracelet/x/ansi", "go.yaml.in/yaml/v3", "golang.org/x/term"},
	"cmd/leat/internal/dash":    {"internal/quantity", "cmd/leat/internal/output", "task", "queue", "queue/broker", "workflow", "periodic", "internal/drawing", "internal/plain", "internal/query", "internal/view", "charm.land/bubbletea/v2", "charm.land/lipgloss/v2", "charm.land/bubbles/v2", "github.com/charmbracelet/x/ansi"},

	// What the command, the terminal dashboard and the web show alike.
	"internal/drawing":     {"internal/layout", "internal/outline", "internal/view"},
	"internal/layout":      {},
	"internal/quantity":    {},
	"internal/outlinetest": {"internal/view"},
	"internal/plain":       {"github.com/charmbracelet/x/ansi"},
	"internal/outline":     {"internal/view"},
	"internal/query":       {"internal/nearest", "task", "queue", "queue/broker", "workflow", "periodic"},
	"internal/view":        {"task", "queue", "queue/broker", "workflow", "periodic"},

	// The dashboard. Its parts meet in web; none of pages, api and asynqmon knows another.
	"web":                   {"task", "queue", "queue/broker", "web/access", "web/internal/api", "web/internal/asynqmon", "web/internal/assets", "web/internal/audit", "web/internal/deed", "web/internal/guard", "web/internal/live", "web/internal/mask", "web/internal/pages", "web/internal/prom", "web/internal/storage", "web/internal/trail"},
	"web/access":            {"task"},
	"web/internal/storage":  {"internal/aside", "internal/query", "task", "queue", "queue/broker", "periodic", "workflow", "internal/history", "internal/pace", "web/internal/views"},
	"web/internal/guard":    {"task", "web/access"},
	"web/internal/audit":    {"task", "queue/broker", "internal/query", "web/access", "web/internal/mask", "web/internal/storage"},
	"web/internal/mask":     {"task", "internal/query", "internal/view", "web/access"},
	"web/internal/deed":     {"internal/quantity", "task", "queue", "queue/broker", "periodic", "workflow", "internal/plain", "internal/query", "internal/view", "web/access", "web/internal/audit", "web/internal/mask", "web/internal/problem", "web/internal/storage", "web/internal/views"},
	"web/internal/live":     {"internal/aside", "web/access"},
	"web/internal/facet":    {"task", "queue", "internal/query"},
	"web/internal/spoken":   {},
	"web/internal/svg":      {},
	"web/internal/trail":    {"task"},
	"web/internal/views":    {"task", "queue/broker", "internal/query", "web/access", "web/internal/mask"},
	"web/internal/rundraw":  {"internal/layout", "internal/outline", "internal/plain", "internal/view", "web/internal/svg"},
	"web/internal/assets":   {},
	"web/internal/prom":     {"task"},
	"web/internal/problem":  {"task", "queue", "queue/broker", "periodic", "workflow", "internal/plain", "internal/query", "web/internal/mask"},
	"web/internal/pages":    {"web/internal/spoken", "web/internal/problem", "internal/quantity", "task", "queue", "queue/broker", "periodic", "workflow", "internal/history", "internal/outline", "internal/pace", "internal/plain", "internal/query", "internal/view", "web/access", "web/internal/assets", "web/internal/audit", "web/internal/deed", "web/internal/facet", "web/internal/live", "web/internal/mask", "web/internal/prom", "web/internal/rundraw", "web/internal/storage", "web/internal/svg", "web/internal/trail", "web/internal/views"},
	"web/internal/api":      {"web/internal/problem", "task", "queue", "queue/broker", "periodic", "workflow", "internal/history", "internal/plain", "internal/query", "internal/view", "web/access", "web/internal/audit", "web/internal/deed", "web/internal/facet", "web/internal/mask", "web/internal/prom", "web/internal/storage", "web/internal/views"},
	"web/internal/asynqmon": {"web/internal/audit", "web/internal/problem", "task", "queue", "queue/broker", "periodic", "internal/plain", "web/access", "web/internal/deed", "web/internal/mask", "web/internal/prom", "web/internal/storage"},

	"internal/history":     {"task", "queue/broker"},
	"internal/browsertest": {"github.com/chromedp/chromedp", "github.com/chromedp/cdproto"},

	"internal/aside":     {"task"},
	"internal/gather":    {"queue/broker", "internal/loop", "github.com/google/uuid"},
	"internal/wire":      {"task", "queue/broker", "google.golang.org/protobuf"},
	"internal/loop":      {},
	"internal/nearest":   {},
	"internal/shard":     {"task", "queue/broker"},
	"internal/pace":      {"queue"},
	"internal/tail":      {"task", "queue", "queue/broker"},
	"internal/tick":      {"task"},
	"internal/wake":      {"queue/broker"},
	"internal/freeport":  {},
	"internal/promtest":  {"internal/freeport"},
	"internal/redistest": {"internal/freeport"},
	"internal/tmuxtest":  {},
	"internal/tracetree": {},
	"internal/traceplot": {"internal/tracetree", "internal/tracetest"},
	"internal/witness":   {"queue", "queue/broker", "periodic"},
	"internal/tracetest": {"internal/tracetree", "github.com/google/go-cmp", "go.opentelemetry.io/proto/otlp", "google.golang.org/grpc", "go.opentelemetry.io/otel"},

	"internal/stock":      {"task", "queue", "queue/broker", "workflow", "workflow/dag", "periodic", "internal/history"},
	"internal/archtest":   {},
	"internal/mends":      {},
	"internal/soak":       {},
	"internal/testreport": {},

	"examples/": nil,
}

// allowInTests is what any test may import, besides every package of the
// module and what the package under test may.
var allowInTests = []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal/testscript", "github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "github.com/google/uuid", "pgregory.net/rapid"}

// importFaults checks imports against a table like allow.
func importFaults(table map[string][]string) func(tree) []string {
	return func(t tree) (faults []string) {
		for _, s := range t.sources {
			may, known := table[s.dir()]
			switch {
			case !s.own || slices.ContainsFunc(slices.Collect(maps.Keys(table)), func(row string) bool {
				return strings.HasSuffix(row, "/") && strings.HasPrefix(s.path, row)
			}):
				continue
			case !known:
				faults = append(faults, fmt.Sprintf("%s: package %s is not in the table of imports", s.path, s.dir()))
				continue
			}
			for _, spec := range s.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value) // the parser has seen to it
				if s.isTest() && mayImport(allowInTests, imported) || s.isTest() && isOurs(imported) {
					continue
				}
				if !isStandard(imported) && !mayImport(may, imported) {
					faults = append(faults, fmt.Sprintf("%s: %s must not import %s", t.line(spec.Pos()), s.dir(), imported))
				}
			}
		}
		return faults
	}
}

func isOurs(imported string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func mayImport(may []string, imported string) bool {
	if rel, ours := strings.CutPrefix(imported, module+"/"); ours {
		return slices.Contains(may, rel)
	}
	return slices.ContainsFunc(may, func(m string) bool {
		return imported == m || strings.HasPrefix(imported, m+"/")
	})
}

var importSamples = []sample{
	{"-- task/a.go --\npackage task\nimport \"fmt\"", ""},
	{"-- task/a.go --\npackage task\nimport \"github.com/leatwork/leat/queue\"", "task/a.go:2: task must not import github.com/leatwork/leat/queue"},
	{"-- queue/a.go --\npackage queue\nimport \"github.com/leatwork/leat/queue/redisbroker\"", "queue must not import"},
	{"-- queue/a.go --\npackage queue\nimport \"github.com/redis/go-redis/v9\"", "queue must not import"},
	{"-- queue/a_windows.go --\npackage queue\nimport \"github.com/redis/go-redis/v9\"", "queue must not import"},
	{"-- queue/a_test.go --\npackage queue\nimport \"github.com/hibiken/asynq\"", "queue must not import"},
	{"-- queue/a_test.go --\npackage queue\nimport \"github.com/leatwork/leat/queue/redisbroker\"", ""},
	{"-- queue/redisbroker/a.go --\npackage redisbroker\nimport \"github.com/redis/go-redis/v9/internal\"", ""},
	{"-- fresh/a.go --\npackage fresh", "fresh is not in the table"},
	{"-- examples/fresh/a.go --\npackage main\nimport \"github.com/redis/go-redis/v9\"", ""},
	{"-- peers/go.mod --\nmodule peers\n-- peers/a.go --\npackage peers\nimport \"github.com/hibiken/asynq\"", ""},
}

// rowFaults checks that a table like allow names nothing that is gone.
func rowFaults(table map[string][]string) func(tree) []string {
	return func(t tree) (faults []string) {
		rows := slices.Collect(maps.Keys(table))
		for _, may := range table {
			rows = append(rows, slices.DeleteFunc(slices.Clone(may), func(m string) bool { return !isStandard(m) })...)
		}
		slices.Sort(rows)
		for _, row := range slices.Compact(rows) {
			if !slices.ContainsFunc(t.sources, func(s source) bool {
				return s.dir() == row || strings.HasSuffix(row, "/") && strings.HasPrefix(s.path, row)
			}) {
				faults = append(faults, path.Clean(row)+": is in the table of imports and does not exist")
			}
		}
		return faults
	}
}

var rowSamples = []sample{
	{"-- task/a.go --\npackage task", "queue/broker: is in the table of imports and does not exist"},
}

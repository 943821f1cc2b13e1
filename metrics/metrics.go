package metrics

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A Config says what is exported. The zero value has the figures of the process only.
type Config struct {
	// Broker is whose figures are exported. nil: none of a storage.
	Broker broker.Broker

	// Queues are those whose figures are asked of the storage. nil: all.
	Queues []string

	// Memory has the storage measure, by a sample, how many bytes the tasks of each
	// queue take, which is a trip for each.
	Memory bool

	// Periodic has the periodic entries exported, which is a trip for each.
	Periodic bool

	// Workflows are those whose runs are counted in the storage as long as they have not
	// ended, which is five trips for each.
	Workflows []workflow.Registrable

	// Asynq has the figures exported under the names as well that asynq's tools give
	// them, where these are not misleading.
	Asynq bool

	// MaxNames is for how many pairs of a queue and a type, how many queues, workflows
	// and periodic entries there are series of their own. What an Observer is told of
	// others is counted as type "other"; if there are twice as many, as queue "other",
	// too. Of a storage, others are left out. 0: 200.
	MaxNames int

	// Timeout is how long the storage may take for one scrape. 0: 5 seconds.
	Timeout time.Duration

	// Logger is told, now and then, what could not be read. nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultMaxNames = 200
	defaultTimeout  = 5 * time.Second
)

// Metrics are the figures of a process and its storage, for a [prometheus.Registry]. The
// methods may be called from several goroutines.
type Metrics struct {
	process *process
	storage *storage // nil: of none

	mu      sync.Mutex
	servers []Server
	ended   int // how many there were besides
}

// A Server is who knows how it is: a [queue.Server].
type Server interface{ Health() queue.Health }

// New returns the figures that cfg asks for. It asks the storage for nothing yet. It
// returns a [task.InvalidError] for each fault of cfg, all joined.
func New(cfg Config) (*Metrics, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("new metrics: %w", err)
	}
	if cfg.MaxNames == 0 {
		cfg.MaxNames = defaultMaxNames
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	m := &Metrics{process: newProcess(cfg.MaxNames)}
	if cfg.Broker != nil {
		m.storage = newStorage(cfg)
	}
	return m, nil
}

func (c Config) check() error {
	var faults []error
	if c.MaxNames < 0 {
		faults = append(faults, task.Invalid("Config.MaxNames", c.MaxNames, "must not be negative"))
	}
	if c.Timeout < 0 {
		faults = append(faults, task.Invalid("Config.Timeout", c.Timeout, "must not be negative"))
	}
	for _, q := range c.Queues {
		faults = append(faults, task.CheckMadeName("Config.Queues", q))
	}
	for _, w := range c.Workflows {
		if w == nil || w.Spec().Plan == nil {
			faults = append(faults, task.Invalid("Config.Workflows", w, "is not a workflow"))
		}
	}
	if c.Broker == nil && (len(c.Queues) > 0 || len(c.Workflows) > 0 || c.Memory || c.Periodic || c.Asynq) {
		faults = append(faults, task.Invalid("Config.Broker", nil, "is needed for what is asked of the storage"))
	}
	return errors.Join(faults...)
}

// Watch has the health of a server of this process exported. Once it has ended it is only
// counted.
func (m *Metrics) Watch(s Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.servers = append(m.servers, s)
}

// Describe implements [prometheus.Collector]. It asks nothing of the storage.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.process.describe(ch)
	describeServers(ch)
	if m.storage != nil {
		m.storage.describe(ch)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.process.collect(ch)
	alive, ended := m.health()
	collectServers(ch, alive, ended)
	if m.storage != nil {
		m.storage.collect(ch)
	}
}

package pages

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/live"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/rundraw"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/trail"
)

// A Config is what pages are made from.
type Config struct {
	Root     string // what all addresses begin with: "" or "/leat"
	Name     string // of what is looked at: "production"
	Color    string // of the badge with that name; "": that of links
	Others   []Place
	Version  string // of the program
	ReadOnly bool
	Storage  *storage.Storage
	Doer     *deed.Doer
	Rules    *mask.Rules // what is hidden from whom; nil: nothing
	Audit    *audit.Log  // what was done; nil: nobody has kept that
	Hub      *live.Hub
	Prom     *prom.Client  // nil: there is none
	Patience time.Duration // that a page has with the storage
	Links    []trail.Link  // that lead from tasks and runs elsewhere

	MaxPayload, MaxResult int // how many characters of these a list shows; 0: 200

	// FormatPayload and FormatResult write what is of a type as its users read it. They are
	// the program's own; nil: there is none.
	FormatPayload, FormatResult func(typ string, b []byte) string
	Logger                      *slog.Logger
}

const defaultLength = 200

// Pages are the pages of the dashboard, for requests whose paths have no root any more and
// whose context says who asks. It may be used by several goroutines.
type Pages struct {
	Config
	mux     *http.ServeMux
	pages   map[string]page // by path
	sets    sets
	notices notices
	writers chan struct{} // that are at work
	checks  checks
	drawer  rundraw.Drawer

	advances advances
}

// list returns all pages.
func list() []page {
	return []page{
		overviewPage,
		queuesPage,
		queuePage,
		bulkPage,
		serversPage,
		serverPage,
		entriesPage,
		entryPage,
		storagePage,
		auditPage,
		tasksPage,
		runPage,
		taskPage,
		diffPage,
		groupsPage,
		groupPage,
		runsPage,
		helpPage,
		settingsPage,
	}
}

// New returns the pages.
func New(cfg Config) *Pages {
	cfg.MaxPayload, cfg.MaxResult = cmp.Or(cfg.MaxPayload, defaultLength), cmp.Or(cfg.MaxResult, defaultLength)
	p := &Pages{Config: cfg, mux: http.NewServeMux(), pages: map[string]page{}, writers: make(chan struct{}, writerMost)}
	for _, one := range list() {
		p.pages[one.path] = one
		pattern := "GET " + one.path
		if one.path == "/" {
			pattern += "{$}"
		}
		p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, one) })
	}
	for path := range runFiles {
		p.mux.HandleFunc("GET "+path, p.runFile)
	}
	p.mux.HandleFunc("GET /live", p.live)
	p.mux.HandleFunc("GET /complete", p.complete)
	p.mux.HandleFunc("GET /task/raw", p.raw)
	p.mux.HandleFunc("POST /settings", p.saveSettings)
	p.mux.HandleFunc("POST /settings/columns", p.saveColumns)
	p.mux.HandleFunc("GET /deed/{kind}/{name}", p.showDeed)
	p.mux.HandleFunc("POST /deed/{kind}/{name}", p.doDeed)
	p.mux.HandleFunc("POST /bulk/stop", p.stopBulk)
	p.mux.HandleFunc("POST /storage/verify", p.verify)
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.fail(w, r, errNoPage) })
	return p
}

// ServeHTTP answers a request for a page.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// may reports whether somebody may change anything at all.
func (p *Pages) may(who access.Identity) bool {
	return !p.ReadOnly && who.Role.Allows(access.Operator)
}

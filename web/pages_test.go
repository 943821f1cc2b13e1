package web_test

import (
	"flag"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/internal/stock"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/web"
)

var shown = flag.Int("shown", 2000, "about how many tasks the pages show whose pictures are taken")

// A sight is a page, and what it shows of the stocked storage.
type sight struct {
	name, path string
	says       []string
}

// sights are all pages.
var sights = []sight{
	{"overview", "/", []string{"Overview", "billing", "processed today"}},
	{"servers", "/servers", []string{"Servers", "slots", "Started"}},
	{"entries", "/entries", []string{"Periodic", "every"}},
	{"entry", "/entry?name=nightly-digest", []string{"every day at 02:30, Europe/Berlin", "Next ticks", "What became of its ticks"}},
	{"storage", "/storage", []string{"Storage", "Check it now", "All that it says"}},
	{"audit", "/audit", []string{"Audit", "What was done from here"}},
	{"queues", "/queues", []string{"Queues", "billing", "paused", "no server listens"}},
	{"queues-narrowed", "/queues?q=state:paused", []string{"reports"}},
	{"queues-fault", "/queues?q=sise>3", []string{"size"}},
	{"queue", "/queue?name=mail", []string{"mail", "Latency", "weekly", "No server takes tasks", "Outcomes by day", "Throughput"}},
	{"queue-served", "/queue?name=flows", []string{"flows", "Busy"}},
	{"bulk", "/bulk", []string{"What is done to many", "Nothing is being done"}},
	{"deed", "/deed/task/delete?all=1&q=state:archived", []string{"Delete task", "cannot be undone", "Type"}},
	{"runs", "/runs", []string{"Runs", "year-end-2026", "order-2002", "customer=17"}},
	{"run", "/run?queue=flows&id=order-2002&step=price", []string{"order-2002", "price", "running"}},
	{"run-failed", "/run?queue=flows&id=reorder-1003&preview=failed", []string{"reorder-1003", "insufficient funds", "would run"}},
	{"run-history", "/run?queue=flows&id=order-2003&face=history", []string{"paused", "reserve"}},
	{"run-values", "/run?queue=flows&id=order-2001&face=values", []string{"Input", "order-2001", "none as yet"}},
	{"run-opened", "/run?queue=flows&id=year-end-2026&open=regions&step=regions", []string{"regions", "Items 1 to"}},
	{"run-large", "/run?queue=flows&id=year-end-2026", []string{"year-end-2026"}},
	{"tasks", "/tasks?q=state:archived", []string{"Tasks", "Counted", "Last error", "image:thumbnail"}},
	{"tasks-columns", "/tasks?q=type:email:welcome&columns=id,state,payload.user,payload.locale,age,due,retried,size", []string{"Tasks", "payload.user", "Retried"}},
	{"task", "/task?queue=video&id=video-01", []string{"video-01", "active", "Payload", "film"}},
	{"groups", "/groups", []string{"Groups", "monthly", "weekly"}},
	{"group", "/group?queue=mail&name=weekly", []string{"weekly", "Waiting", "email:digest"}},
	{"settings", "/settings", []string{"Settings", "Theme"}},
	{"help", "/help", []string{"Help", "state:retry"}},
}

// looks are the ways in which each page is looked at.
var looks = map[string]browsertest.Options{
	"light": {},
	"dark":  {Dark: true},
	"phone": {Phone: true},
	"plain": {NoScript: true},
}

func TestEachPageShowsWhatThereIsToEverybody(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		s := serve(t, stocked(t, b, *shown), web.Config{Name: "shop"})
		if err := stock.Remember(t.Context(), b, *shown, time.Now()); err != nil {
			t.Fatal(err)
		}
		for way, o := range looks {
			if _, costly := b.(*redisbroker.Broker); costly && way != "light" {
				continue // what it is stored in changes nothing of how it looks
			}
			t.Run(way, func(t *testing.T) { s.tour(t, way, o) })
		}
	})
}

// tour goes through all pages.
func (s *site) tour(t *testing.T, way string, o browsertest.Options) {
	p := browsertest.New(t, s.server.URL, o)
	for _, x := range sights {
		if status := p.Open(x.path); status != 200 {
			t.Errorf("%s is answered with %d", x.path, status)
		}
		p.WaitFor("body", x.says...)
		p.Fits()
		if !o.NoScript && !o.Phone {
			p.Axe()
		}
		p.Screenshot(x.name + "-" + way)
	}
}

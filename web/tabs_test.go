package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/web"
)

// TestFiftyTabsCostTheStorageWhatOneDoes counts the calls at the seam while one of so many
// tabs that are open at the same page hears four times how that is now.
func TestFiftyTabsCostTheStorageWhatOneDoes(t *testing.T) {
	onEach(t, func(t *testing.T, b broker.Broker) {
		var calls atomic.Int64
		b = brokertest.Faulty(stocked(t, b, 2000), func(int, string) brokertest.Fault { calls.Add(1); return brokertest.Fault{} })
		s := serve(t, b, web.Config{Refresh: quick})
		for _, page := range []string{"/"} {
			one, fifty := s.cost(page, 1, &calls), s.cost(page, 50, &calls)
			t.Logf("%s: %d calls for one tab, %d for fifty", page, one, fifty)
			if one == 0 || fifty > one+one/4 {
				t.Errorf("%s costs %d calls for fifty tabs, and %d for one", page, fifty, one)
			}
		}
	})
}

// cost returns how many calls are made while the first of n tabs hears four beats, once all
// of them have heard one.
func (s *site) cost(page string, n int, calls *atomic.Int64) int64 {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var first *tab
	for range n {
		tab := s.tab(ctx, page)
		tab.hear(s, 1)
		if first == nil {
			first = tab
		} else {
			go tab.drain()
		}
	}
	first.hear(s, 1)
	before := calls.Load()
	first.hear(s, 4)
	return calls.Load() - before
}

// A tab follows a page.
type tab struct{ lines *bufio.Scanner }

func (s *site) tab(ctx context.Context, page string) *tab {
	s.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+"/live?page="+page, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "leat_refresh", Value: "2s"})
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	context.AfterFunc(ctx, func() { _ = answer.Body.Close() })
	return &tab{bufio.NewScanner(answer.Body)}
}

// hear reads on until it has been told n times that what is shown is so.
func (x *tab) hear(s *site, n int) {
	s.Helper()
	for x.lines.Scan() {
		if strings.HasPrefix(x.lines.Text(), "event: beat") {
			if n--; n == 0 {
				return
			}
		}
	}
	s.Fatalf("the stream has ended: %v", x.lines.Err())
}

func (x *tab) drain() {
	for x.lines.Scan() {
	}
}

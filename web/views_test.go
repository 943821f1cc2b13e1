package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/browsertest"
	"github.com/leatwork/leat/web"
	kept "github.com/leatwork/leat/web/internal/views"
)

func TestManyViewsFitAboveTheirList(t *testing.T) {
	b := onSQLite(t)
	for n := range 30 {
		v := kept.View{Page: "tasks", Name: fmt.Sprintf("view-%02d-%s", n, strings.Repeat("m", n)), Query: "state:retry"}
		if err := kept.Keep(t.Context(), b, time.Now(), v); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, b, web.Config{})
	for way, o := range looks {
		t.Run(way, func(t *testing.T) {
			p := browsertest.New(t, s.server.URL, o)
			p.Open("/tasks")
			p.WaitFor(".views", "view-00-", "view-29-")
			p.Fits()
			p.Click(".views details summary")
			p.Fits()
			if !o.NoScript && !o.Phone {
				p.Axe()
			}
			p.Screenshot("views-" + way)
		})
	}
}

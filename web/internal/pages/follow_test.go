package pages

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

func TestWhatNoPageKnowsIsNotFollowedApart(t *testing.T) {
	for query, want := range map[string]string{
		"x=1&q=state%3Aretry&notice=n": "q=state%3Aretry",
		"x=2":                          "",
		"queue=a&id=b":                 "id=b&queue=a",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := known(values).Encode(); got != want {
			t.Errorf("of %s a page knows %q, want %q", query, got, want)
		}
	}
}

func TestEveryParameterOfAPageIsKnown(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := []string{"aid", "aqueue", "bid", "bqueue"} // of which the diff makes the names
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\b(?:r|req)\.get\("(\w+)"\)`).FindAllSubmatch(text, -1) {
			used = append(used, string(found[1]))
		}
	}
	slices.Sort(used)
	if used = slices.Compact(used); !slices.Equal(used, shownBy) {
		t.Errorf("pages read the parameters %q, and %q are known", used, shownBy)
	}
}

func TestWhoFollows(t *testing.T) {
	ann, here, there := access.Identity{Name: "ann", From: "192.0.2.1"}, access.Identity{From: "192.0.2.1"}, access.Identity{From: "192.0.2.2"}
	if a, b, c := follows(ann), follows(here), follows(there); a == b || b == c {
		t.Errorf("%q, %q and %q follow", a, b, c)
	}
	ann.From = "192.0.2.2"
	if follows(ann) != follows(access.Identity{Name: "ann"}) {
		t.Error("somebody who has moved is another")
	}
}

func TestAPanicOfALiveRenderingIsLogged(t *testing.T) {
	var log strings.Builder
	p := &Pages{Config: Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
	broken := page{load: func(context.Context, *Pages, *request) (any, error) { panic("no luck") }}
	_, err := p.logged(t.Context(), "/queues", &request{Page: broken})
	if told := problem.Of(err); told.Status != http.StatusInternalServerError || strings.Contains(told.Detail, "luck") {
		t.Errorf("who looks is told %+v", told)
	}
	if text := log.String(); !strings.Contains(text, "no luck") || !strings.Contains(text, "/queues") || !strings.Contains(text, "follow_test.go") {
		t.Errorf("the log says %s", text)
	}
}

package pages

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

var diffPage = page{path: "/diff", name: "diff", title: "Two tasks compared", tab: "/tasks", load: loadDiff}

// A diff is two tasks beside each other.
type diff struct {
	A, B  *task.Info
	Facts []difference
	Lines []difference // of their payloads
	Cut   bool         // only the beginnings of these are compared
}

// A difference is what is there on either side.
type difference struct {
	Name string
	A, B string
	Same bool
}

var errNoPair = problem.New(http.StatusBadRequest, "", "the address names no two tasks: it needs a queue and an id of each")

const mostDiffLines = 2000

func loadDiff(ctx context.Context, p *Pages, r *request) (any, error) {
	var two [2]*task.Info
	for n, side := range []string{"a", "b"} {
		queue, id := r.get(side+"queue"), r.get(side+"id")
		if queue == "" || id == "" {
			return nil, errNoPair
		}
		i, err := p.Storage.Inspector.Get(ctx, queue, id)
		if err != nil {
			return nil, err
		}
		two[n] = p.Rules.Info(r.Who.Role, i)
	}
	d := diff{A: two[0], B: two[1]}
	d.facts()
	a, b := linesOf(d.A.Payload), linesOf(d.B.Payload)
	d.Cut = len(a) > mostDiffLines || len(b) > mostDiffLines
	d.Lines = compare(a[:min(len(a), mostDiffLines)], b[:min(len(b), mostDiffLines)])
	return d, nil
}

func (d *diff) facts() {
	add := func(name, a, b string) {
		if a != "" || b != "" {
			d.Facts = append(d.Facts, difference{name, plain.Name(a), plain.Name(b), a == b})
		}
	}
	for _, f := range []struct {
		name string
		of   func(*task.Info) string
	}{
		{"Queue", func(i *task.Info) string { return i.Queue }},
		{"Type", func(i *task.Info) string { return i.Type }},
		{"State", func(i *task.Info) string { return i.State.String() }},
		{"Retries", func(i *task.Info) string { return fmt.Sprintf("%d of %d", i.Retried, i.MaxRetry) }},
		{"Group", func(i *task.Info) string { return i.Group }},
		{"Unique by", func(i *task.Info) string { return i.UniqueKey }},
		{"Timeout", func(i *task.Info) string { return quantity.Seconds(i.Timeout.Seconds()) }},
		{"Kept", func(i *task.Info) string { return quantity.Seconds(i.Retention.Seconds()) }},
		{"Ended", func(i *task.Info) string { return i.End }},
		{"Last error", func(i *task.Info) string { return i.LastErr }},
	} {
		add(f.name, f.of(d.A), f.of(d.B))
	}
	names := maps.Clone(d.A.Headers)
	if names == nil {
		names = map[string]string{}
	}
	maps.Copy(names, d.B.Headers)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add("Header "+plain.Name(name), d.A.Headers[name], d.B.Headers[name])
	}
}

func linesOf(b []byte) []string {
	if len(b) > mostBytes {
		b = b[:mostBytes]
	}
	if len(b) == 0 {
		return nil
	}
	return strings.Split(plain.Text(b), "\n")
}

// compare puts lines that are on both sides beside each other, as many as can be in their
// order.
func compare(a, b []string) (rows []difference) {
	same := make([][]uint16, len(a)+1) // how many lines from there on are on both sides
	for i := range same {
		same[i] = make([]uint16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				same[i][j] = same[i+1][j+1] + 1
			} else {
				same[i][j] = max(same[i+1][j], same[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			rows = append(rows, difference{A: a[i], B: b[j], Same: true})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			rows = append(rows, difference{A: a[i]})
			i++
		default:
			rows = append(rows, difference{B: b[j]})
			j++
		}
	}
	return rows
}

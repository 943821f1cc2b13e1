package svg_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/web/internal/svg"
)

var update = flag.Bool("update", false, "write the charts to testdata")

var (
	from    = time.Date(2026, 3, 2, 23, 50, 0, 0, time.UTC)
	unknown = math.NaN()
)

// markup is what a name must not become.
const markup = `<script>alert("1")</script>&' style="x" onload=x` + "\x00\x1b"

// each returns points a minute apart.
func each(values ...float64) (points []svg.Point) {
	for i, v := range values {
		points = append(points, svg.Point{At: from.Add(time.Duration(i) * time.Minute), Value: v})
	}
	return points
}

func chart(series ...svg.Series) svg.Chart {
	return svg.Chart{Label: "Tasks a minute", From: from, To: from.Add(20 * time.Minute), Series: series}
}

// waves returns many points.
func waves(n int) (points []svg.Point) {
	for i := range n {
		points = append(points, svg.Point{
			At:    from.Add(time.Duration(i) * 20 * time.Minute / time.Duration(n)),
			Value: 1000 + 500*math.Sin(float64(i)/300) + float64(i*7919%97),
		})
	}
	return points
}

var charts = map[string]func() template.HTML{
	"lines": func() template.HTML {
		return svg.Lines(chart(
			svg.Series{Name: "processed", Points: each(10, 12, 9, unknown, unknown, 14, 20, 18, unknown, 3, unknown, 7, 8)},
			svg.Series{Name: "failed", Class: "state-failed", Points: each(0, 0, 1, 2, 1, 0, 0)},
		))
	},
	"lines.gap": func() template.HTML {
		c := chart(svg.Series{Name: "latency", Points: append(each(0.005, 0.25, 0.1), svg.Point{At: from.Add(9 * time.Minute), Value: 0.3})})
		c.Gap, c.Write = 2*time.Minute, svg.Seconds
		return svg.Lines(c)
	},
	"lines.many": func() template.HTML {
		var all []svg.Series
		for _, name := range []string{"critical", "default", "low", "mails", "images", "reports", "invoices of last year", "imports", "exports"} {
			all = append(all, svg.Series{Name: name, Points: each(float64(len(name)), float64(len(all)))})
		}
		return svg.Lines(chart(all...))
	},
	"lines.below": func() template.HTML { return svg.Lines(chart(svg.Series{Name: "change", Points: each(-3, 4, -11)})) },
	"lines.none":  func() template.HTML { return svg.Lines(chart()) },
	"lines.days": func() template.HTML {
		c := chart(svg.Series{Name: "processed", Points: []svg.Point{{At: from, Value: 3e6}, {At: from.AddDate(0, 0, 30), Value: 1e6}}})
		c.To = from.AddDate(0, 0, 60)
		return svg.Lines(c)
	},
	"columns": func() template.HTML {
		return svg.Columns(chart(
			svg.Series{Name: "done", Class: "state-completed", Points: each(10, 12, 9, unknown, 4)},
			svg.Series{Name: "failed", Class: "state-failed", Points: each(1, 0, 2, 3)},
		), time.Minute)
	},
	"spark": func() template.HTML { return svg.Spark("Tasks", "", []float64{1, 2, unknown, 4, unknown, 3, 0}) },
	"progress": func() template.HTML {
		return svg.Progress("3 of 10 steps, 1 failed", 10, svg.Part{Name: "done", Class: "state-done", Value: 2}, svg.Part{Name: "failed", Class: "state-failed", Value: 1})
	},
	"heat": func() template.HTML {
		return svg.Heat(svg.HeatMap{
			Label: "How long tasks took", From: from, To: from.Add(10 * time.Minute), Bounds: []float64{0.001, 0.01, 0.1, 1, 60}, Every: time.Minute,
			Columns: []svg.Histogram{{At: from, Counts: []int{1, 20, 300, 4, 0, 1}}, {At: from.Add(2 * time.Minute), Counts: []int{0, 2}}},
		})
	},
}

func TestChartsLookLikeThis(t *testing.T) {
	for name, draw := range charts {
		got := strings.ReplaceAll(string(draw()), "><", ">\n<") + "\n"
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs from testdata, which -update writes (-want +got):\n%s", name, diff)
		}
		if again := draw(); strings.ReplaceAll(string(again), "><", ">\n<")+"\n" != got {
			t.Errorf("%s is drawn in several ways", name)
		}
		checkSafe(t, name, got)
	}
}

// checkSafe checks that a drawing is well-formed and may stand in a page.
func checkSafe(t *testing.T, name, drawn string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(drawn))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s is not well-formed: %v", name, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "script" || start.Name.Local == "style" {
			t.Errorf("%s has an element %s", name, start.Name.Local)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("%s has an attribute %s", name, a.Name.Local)
			}
		}
	}
}

func TestNamesAreText(t *testing.T) {
	c := chart(svg.Series{Name: markup, Class: markup, Points: each(1)}, svg.Series{Name: markup, Points: each(1)})
	c.Label, c.Write = markup, func(float64) string { return markup }
	part := svg.Part{Name: markup, Class: markup, Value: 1}
	for name, drawn := range map[string]template.HTML{
		"lines":    svg.Lines(c),
		"columns":  svg.Columns(c, time.Minute),
		"spark":    svg.Spark(markup, markup, []float64{1}),
		"progress": svg.Progress(markup, 1, part),
		"heat":     svg.Heat(svg.HeatMap{Label: markup, From: from, To: c.To, Bounds: []float64{1}, Columns: []svg.Histogram{{At: from, Counts: []int{1, 1}}}, Write: c.Write}),
	} {
		checkSafe(t, name, string(drawn))
		if !strings.Contains(string(drawn), "&lt;script&gt;") {
			t.Errorf("%s does not show what it was given: %s", name, drawn)
		}
	}
}

func TestALongLineIsThinned(t *testing.T) {
	few, many := svg.Lines(chart(svg.Series{Points: waves(500)})), svg.Lines(chart(svg.Series{Points: waves(100_000)}))
	if len(many) > 10*len(few) {
		t.Errorf("100,000 points take %d bytes, 500 take %d", len(many), len(few))
	}
}

func TestValuesAreWrittenInAFewCharacters(t *testing.T) {
	for _, c := range []struct {
		write func(float64) string
		value float64
		want  string
	}{
		{svg.Count, 0, "0"}, {svg.Count, 7, "7"}, {svg.Count, 0.25, "0.25"}, {svg.Count, 950, "950"}, {svg.Count, 1234, "1.2k"}, {svg.Count, 5e6, "5M"}, {svg.Count, -1500, "-1.5k"},
		{svg.Bytes, 512, "512 B"}, {svg.Bytes, 1536, "1.5 KiB"}, {svg.Bytes, 3 << 30, "3 GiB"},
		{svg.Seconds, 0, "0s"}, {svg.Seconds, 0.00005, "50µs"}, {svg.Seconds, 0.0052, "5.2ms"}, {svg.Seconds, 1, "1s"}, {svg.Seconds, 90, "1.5m"}, {svg.Seconds, 7200, "2h"}, {svg.Seconds, 4 * 86400, "4d"},
	} {
		if got := c.write(c.value); got != c.want {
			t.Errorf("%v is written as %q, want %q", c.value, got, c.want)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	c := chart(svg.Series{Name: "processed", Points: waves(100_000)})
	for b.Loop() {
		svg.Lines(c)
	}
}

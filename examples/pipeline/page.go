package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{"thousands": thousands}).Parse(pageSource))

// writePage writes the report as a page, in one go: a reader sees the old file or
// the new one, and writing it twice does no harm.
func writePage(_ context.Context, d Draft) (Report, error) {
	var b bytes.Buffer
	if err := page.Execute(&b, newChart(d.Report)); err != nil {
		return d.Report, err
	}
	f, err := os.CreateTemp(filepath.Dir(d.Out), ".report-*")
	if err != nil {
		return d.Report, err
	}
	defer os.Remove(f.Name()) // gone already if all went well
	_, err = f.Write(b.Bytes())
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return d.Report, err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return d.Report, err
	}
	return d.Report, os.Rename(f.Name(), d.Out)
}

// A chart is a report with its bars measured out, in pixels.
type chart struct {
	Report
	Bars   []bar
	Height int
}

type bar struct {
	Tally
	Y, Middle, Width int
	Share            string
}

const (
	barStep  = 34
	barWidth = 520
)

func newChart(r Report) chart {
	c := chart{Report: r, Height: barStep * len(r.Languages)}
	for i, t := range r.Languages {
		b := bar{Tally: t, Y: i*barStep + 5, Middle: i*barStep + 22}
		if longest := r.Languages[0].Lines; longest > 0 {
			b.Width = max(2, barWidth*t.Lines/longest)
		}
		if r.Total.Lines > 0 {
			b.Share = fmt.Sprintf("%.1f %%", 100*float64(t.Lines)/float64(r.Total.Lines))
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}

// thousands prints n in groups of three digits: 1 234 567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

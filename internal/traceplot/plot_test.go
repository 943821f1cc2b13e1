package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/tracetree"
)

// span makes one that lasts from one millisecond to another.
func span(id, parent, service string, began, ended int, links ...tracetree.Ref) tracetree.Span {
	return tracetree.Span{
		Ref: tracetree.Ref{Trace: "t", ID: id}, Parent: parent, Name: id, Service: service, Links: links,
		Began: time.UnixMilli(int64(began)), Ended: time.UnixMilli(int64(ended)),
	}
}

func TestSpansLieWhereTheirTimesAre(t *testing.T) {
	failed := span("process b", "step b", "second", 82, 164)
	failed.Failed, failed.Attributes = true, map[string]string{"error.type": "*errors.errorString"}
	wait := span("wait b", "step b", "second", 41, 82)
	wait.Attributes = map[string]string{"leat.wait.reason": "retry"}
	d := newDrawing("", tracetree.Rows([]tracetree.Span{span("workflow a", "", "first", 0, right-left), span("step b", "workflow a", "second", 41, 205), wait, failed}))
	want := []bar{
		{Name: "workflow a", NameX: 8, Root: true, Class: "s0", Shape: "cover", X: left, Y: head, W: right - left, Note: "580 ms", NoteX: right + 5},
		{Name: "step b", NameX: 8 + indent, Class: "s1", Shape: "cover", X: left + 41, Y: head + rowHeight, W: 164, Odd: true, Note: "164 ms", NoteX: left + 210},
		{Name: "wait b", NameX: 8 + 2*indent, Class: "s1", Shape: "wait", X: left + 41, Y: head + 2*rowHeight, W: 41, Note: "41 ms, retry", NoteX: left + 87},
		{Name: "process b", NameX: 8 + 2*indent, Class: "s1", Shape: "work", X: left + 82, Y: head + 3*rowHeight, W: 82, Odd: true, Note: "82 ms, errorString", NoteX: left + 169, Failed: true},
	}
	if diff := cmp.Diff(want, d.Bars); diff != "" {
		t.Errorf("the bars (-want +got):\n%s", diff)
	}
}

func TestALinkIsDrawnFromWhatBeganBefore(t *testing.T) {
	first, second := tracetree.Ref{Trace: "t", ID: "first"}, tracetree.Ref{Trace: "t", ID: "second"}
	d := newDrawing("", tracetree.Rows([]tracetree.Span{
		span("root", "", "", 0, right-left), span("first", "root", "", 0, 10, second), span("second", "root", "", 20, 30, first, tracetree.Ref{Trace: "t", ID: "gone"}),
	}))
	want := []curve{{X1: left + 10, Y1: head + 1.5*rowHeight, X2: left + 20, Y2: head + 2.5*rowHeight}}
	if diff := cmp.Diff(want, d.Links); diff != "" {
		t.Errorf("the links (-want +got):\n%s", diff)
	}
}

func TestMarksAreAtRoundTimes(t *testing.T) {
	for _, c := range []struct{ all, step time.Duration }{
		{0, time.Millisecond}, {9 * time.Millisecond, 2 * time.Millisecond}, {400 * time.Millisecond, 50 * time.Millisecond}, {900 * time.Millisecond, 200 * time.Millisecond}, {3 * time.Second, 500 * time.Millisecond},
	} {
		if got := stepOf(c.all); got != c.step {
			t.Errorf("stepOf(%v) = %v, want %v", c.all, got, c.step)
		}
	}
}

func TestThePictureIsXML(t *testing.T) {
	svg, err := plot("A < B & C", []tracetree.Span{span("a <b>", "", `"s"`, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	if want := "a &lt;b&gt;"; !strings.Contains(svg, want) {
		t.Errorf("it has no %q:\n%s", want, svg)
	}
}

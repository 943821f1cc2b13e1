package tracetree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at returns the time so many milliseconds after one.
func at(ms int) time.Time { return time.UnixMilli(1_000_000 + int64(ms)) }

// span makes one of a trace "t", which has no parent if that is "".
func span(id, parent string, began, ended int, links ...Ref) Span {
	return Span{Ref: Ref{"t", id}, Parent: parent, Name: id, Began: at(began), Ended: at(ended), Links: links}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	root := span("root", "", 0, 100)
	for _, c := range []struct {
		name  string
		spans []Span
		want  string // "": nothing
	}{
		{"a tree", []Span{root, span("a", "root", 0, 100), span("b", "a", 5, 6)}, ""},
		{"a child that is longer", []Span{root, span("a", "root", 90, 200)}, ""},
		{"a link to another trace", []Span{span("root", "", 0, 100, Ref{"u", "x"})}, ""},
		{"the same twice", []Span{root, root}, `"root" of trace of root: is there twice`},
		{"no time", []Span{root, span("a", "root", 5, 5)}, `"a" of trace of root: lasts 0s`},
		{"a missing parent", []Span{root, span("a", "gone", 5, 6)}, `"a" of trace of root: its parent is not there`},
		{"two roots", []Span{root, span("more", "", 5, 6)}, "trace of root: has 2 roots"},
		{"no root", []Span{span("a", "b", 5, 6), span("b", "a", 5, 6)}, "trace without a root: has 0 roots"},
		{"a cycle beside a root", []Span{root, span("a", "b", 5, 6), span("b", "a", 5, 6)}, "trace of root: 2 of its 3 spans do not hang below a root"},
		{"a child that begins too early", []Span{root, span("a", "root", -1, 6)}, `"a" of trace of root: begins -1ms after "root" and lasts 7ms`},
		{"a long child that begins too early", []Span{root, span("a", "root", -1, 200)}, `begins -1ms after "root"`},
		{"a child that ends too late", []Span{root, span("a", "root", 90, 101)}, `begins 90ms after "root" and lasts 11ms`},
		{"a root that links into its trace", []Span{span("root", "", 0, 100, Ref{"t", "a"}), span("a", "root", 5, 6)}, "is a root, and links into its own trace"},
		{"too many links", []Span{span("root", "", 0, 100, make([]Ref, MaxLinks+1)...)}, "has 101 links"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(Check(c.spans), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("Check() = %q, want %q", got, c.want)
			}
		})
	}
}

func TestAParentMayBeElsewhere(t *testing.T) {
	if got := Check([]Span{span("a", "far", 5, 6), span("b", "a", 5, 6)}, Ref{"t", "far"}); got != nil {
		t.Errorf("Check() = %q, want nothing", got)
	}
}

func TestPrintWritesTracesWithoutTimesAndIDs(t *testing.T) {
	failed := span("step pay", "root", 20, 30, Ref{"t", "root"}, Ref{"t", "gone"})
	failed.Failed, failed.Says, failed.Kind, failed.Service = true, "no money", "consumer", "bank"
	failed.Attributes = map[string]string{"b": "2", "a": "1", "c": "3"}
	failed.Events = []string{"ready"}
	spans := []Span{
		failed,
		span("step zip", "root", 10, 30), span("step ask", "root", 10, 30), span("below", "step ask", 11, 12),
		span("root", "", 0, 100, Ref{"u", "start"}),
		{Ref: Ref{"u", "start"}, Name: "start", Kind: "producer", Began: at(-5), Ended: at(0), Links: []Ref{{"t", "root"}}},
	}
	want := `root (internal)
  → trace of start: start
  step ask (internal) of nobody
    below (internal)
  step zip (internal) of nobody
  step pay (consumer) of bank b=2 a=1 events=ready ERROR no money
    → root
    → what is not there

start (producer)
  → trace of root: root
`
	if diff := cmp.Diff(want, Printer{Attributes: []string{"b", "a"}, Services: []string{"step"}, Events: true}.Print(spans)); diff != "" {
		t.Errorf("it writes (-want +got)\n%s", diff)
	}
}

func TestItemsThatLookTheSameAreOne(t *testing.T) {
	spans := []Span{span("root", "", 0, 100)}
	for i := range 12 {
		name := fmt.Sprintf("step scan[%d]", i)
		spans = append(spans, span(name, "root", 10, 30), span(fmt.Sprint("process", i), name, 11, 12))
	}
	join := span("join", "root", 40, 50, Ref{"t", "step scan[3]"}, Ref{"t", "step scan[11]"})
	other := Span{Ref: Ref{"u", "x"}, Name: "other", Began: at(0), Ended: at(1)}
	again := other
	again.Trace = "v"
	spans = append(spans, join, other, again)
	for i := range spans {
		spans[i].Name = strings.TrimRight(spans[i].Name, "0123456789")
	}
	want := `2 × other (internal)

root (internal)
  12 × step scan[…] (internal)
    process (internal)
  join (internal)
    2 × → step scan[…]
`
	if diff := cmp.Diff(want, Printer{Fold: true}.Print(spans)); diff != "" {
		t.Errorf("it writes (-want +got)\n%s", diff)
	}
}

func TestNumbersInNamesCount(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"b[9]", "b[10]", -1}, {"b[10]", "b[9]", 1}, {"b", "b[0]", -1}, {"b[1]", "b[1]", 0}, {"a2", "b1", -1}} {
		if got := natural(c.a, c.b); got != c.want {
			t.Errorf("natural(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestRowsAreInTheOrderOfAViewer(t *testing.T) {
	var got []string
	for _, r := range Rows([]Span{span("b", "root", 10, 30), span("below a", "a", 6, 7), span("a", "root", 5, 30), span("root", "", 0, 100)}) {
		got = append(got, strings.Repeat(" ", r.Depth)+r.Name)
	}
	if diff := cmp.Diff([]string{"root", " a", "  below a", " b"}, got); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

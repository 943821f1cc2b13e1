package yamlfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the files below hold on machines without zones too

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/periodic/yamlfile"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// documented returns the file that the package's comment shows.
func documented(t *testing.T) string {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(doc), "//\tentries:\n")
	shown, _, ok := strings.Cut(after, "//\n// A run")
	if !ok {
		t.Fatal("the package's comment shows no file")
	}
	return "entries:\n" + regexp.MustCompile(`(?m)^//\t?`).ReplaceAllString(shown, "")
}

func TestTheDocumentedFileIsRead(t *testing.T) {
	entries, err := yamlfile.Parse("doc.go", []byte(documented(t)))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].Name != "report" || entries[1].Name != "close-books" {
		t.Fatalf("got %+v, want report and close-books", entries)
	}
	report, books := entries[0], entries[1]
	if report.Schedule != "30 2 * * mon-fri" || report.Zone != "Europe/Berlin" || report.Type != "report:make" {
		t.Errorf("report is %+v", report)
	}
	if start := time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC); !report.Start.Equal(start) || !report.End.Equal(start.AddDate(1, 0, 0).Add(-time.Second)) {
		t.Errorf("report is from %v to %v", report.Start, report.End)
	}
	if report.Jitter != 30*time.Second || report.Window != 5*time.Minute {
		t.Errorf("report has jitter %v and window %v", report.Jitter, report.Window)
	}
	if report.Missed != periodic.RunAll(10, 24*time.Hour) || report.Overlap != periodic.QueueOne {
		t.Errorf("report has missed %v and overlap %v", report.Missed, report.Overlap)
	}
	settings, err := task.Resolve(time.Now(), report.Options)
	if err != nil || settings.MaxRetry != 3 || settings.Queue != "low" || settings.Timeout != 10*time.Minute {
		t.Errorf("report's options come to %+v, %v", settings, err)
	}
	if books.Type != workflow.StartType("books") || books.Schedule != "@monthly" {
		t.Errorf("close-books is %+v", books)
	}
}

// TestTheDocumentedFileShowsAllFields keeps the comment whole: what an entry can have
// is what the message about an unknown field could be about.
func TestTheDocumentedFileShowsAllFields(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    ([a-z]+):`).FindAllStringSubmatch(documented(t), -1) {
		shown[m[1]] = true
	}
	for _, field := range yamlfile.Fields() {
		if !shown[field] {
			t.Errorf("the package's comment does not show %s", field)
		}
	}
}

func TestAPayloadBecomesJSON(t *testing.T) {
	for _, tt := range []struct {
		payload string
		want    periodic.Payload
	}{
		{"payload: {b: 1, a: [true, null, 1.5, x]}", periodic.Bytes([]byte(`{"b":1,"a":[true,null,1.5,"x"]}`))},
		{"payload: {day: 2026-11-29, at: 2026-11-29T02:00:00Z}", periodic.Bytes([]byte(`{"day":"2026-11-29","at":"2026-11-29T02:00:00Z"}`))},
		{"payload: {yes: no, n: 18446744073709551615, hex: 0x10, 5: five}", periodic.Bytes([]byte(`{"yes":"no","n":18446744073709551615,"hex":16,"5":"five"}`))},
		{"payload: text", periodic.Bytes([]byte(`"text"`))},
		{"payload: {}", periodic.Bytes([]byte(`{}`))},
		{"payload: [&a {x: 1}, *a]", periodic.Bytes([]byte(`[{"x":1},{"x":1}]`))},
		{"template: 'at {{.Time.Unix}}'", periodic.Template(`at {{.Time.Unix}}`)},
		{"zone: UTC", periodic.Payload{}},
	} {
		entries, err := yamlfile.Parse("f", []byte("entries: {e: {schedule: '@daily', type: t, "+tt.payload+"}}"))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v, %v", tt.payload, entries, err)
			continue
		}
		if got := entries[0].Payload; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s becomes %q, want %q", tt.payload, fmt.Sprint(got), fmt.Sprint(tt.want))
		}
	}
}

func TestARunWithoutInputGetsNull(t *testing.T) {
	entries, err := yamlfile.Parse("f", []byte("entries: {e: {schedule: '@daily', workflow: w}}"))
	if err != nil || !reflect.DeepEqual(entries[0].Payload, periodic.Bytes([]byte("null"))) {
		t.Errorf("got %v, %v, want null as payload", entries, err)
	}
}

func TestAllFaultsAreToldWithLineAndValue(t *testing.T) {
	const text = `entries:
  report:
    shedule: "@daily"
    schedule: 61 * * * *
    zone: Europe/Springfield
    start: tomorrow
    jitter: 60
    window: -1m
    missed: some
    overlap: never
    type: report make
    type: again
    options:
      - MaxRetry(3)
      - Retries(3)
      - Timeout(-1s)
      - ProcessIn(1h)
    payload: {a: .nan, b: !!binary aGk=, a: 1, <<: {c: 2}}
  books:
    schedule: 0 0 30 2 *
    type: a
    workflow: b
    payload: 1
    template: "{{.Day}}"
  "no name":
    schedule: [1]
    template: "{{"
  empty:
  report: {schedule: "@daily", type: t}
extra: 1
`
	_, err := yamlfile.Parse("periodic.yaml", []byte(text))
	got := ""
	if err != nil {
		got = err.Error()
	}
	for _, want := range []string{
		`periodic.yaml:3: invalid field "shedule": is unknown`,
		`periodic.yaml:4: entry report: invalid spec "61 * * * *"`,
		`periodic.yaml:5: entry report: invalid zone "Europe/Springfield"`,
		`periodic.yaml:6: entry report: invalid start "tomorrow"`,
		`periodic.yaml:7: entry report: invalid jitter "60"`,
		`periodic.yaml:8: entry report: invalid Window -1m0s`,
		`periodic.yaml:9: entry report: invalid missed "some"`,
		`periodic.yaml:10: entry report: invalid overlap "never"`,
		`periodic.yaml:11: entry report: invalid type "report make"`,
		`periodic.yaml:12: invalid entry report "type": is there twice`,
		`periodic.yaml:15: entry report: invalid option "Retries(3)"`,
		`periodic.yaml:16: entry report: invalid task.Timeout -1s`,
		`periodic.yaml:17: entry report: invalid Options ProcessIn(1h0m0s)`,
		`periodic.yaml:18: entry report: invalid payload ".nan"`,
		`periodic.yaml:18: entry report: invalid payload "aGk="`,
		`periodic.yaml:18: invalid payload "a": is there twice`,
		`periodic.yaml:18: invalid payload "<<": is not read`,
		`periodic.yaml:19: entry books: invalid entry "books": must have either type or workflow`,
		`periodic.yaml:19: entry books: invalid entry "books": must not have both payload and template`,
		`periodic.yaml:20: entry books: invalid spec "0 0 30 2 *": never ticks`,
		`periodic.yaml:25: entry no name: invalid Name "no name"`,
		`periodic.yaml:25: entry no name: invalid entry "no name": must have either type or workflow`,
		`periodic.yaml:26: entry no name: invalid schedule ""`,
		`periodic.yaml:27: entry no name: invalid Payload "{{"`,
		`periodic.yaml:28: invalid entry empty "": must be fields with values`,
		`periodic.yaml:29: invalid entries "report": is there twice`,
		`periodic.yaml:30: invalid field "extra": is unknown`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("is not told: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("told:\n%s", got)
	}
	fault, ok := errors.AsType[*yamlfile.LineError](err)
	if !ok || fault.File != "periodic.yaml" || fault.Line < 1 || !errors.Is(err, task.ErrInvalid) {
		t.Errorf("got %#v, want a LineError that is invalid", err)
	}
}

func TestWhatIsNoFileOfEntriesIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "has no entries",
		"# soon":                        "has no entries",
		"{}":                            "has no entries",
		"entries":                       "must be fields with values",
		"entries:":                      "must be fields with values",
		"entries: [a]":                  "must be fields with values",
		"entries: {}\n---\nentries: {}": "must be one document",
		"entries: {}\n---\n{":           "f: yaml:",
		"entries: {":                    "f: yaml:",
		"entries: {? [a] : b}":          "must have a name",
		"entries: {e: {schedule: '@daily', type: t, payload: &a [*a, *a]}}": "payload",
		"entries: {e: {schedule: '@daily', type: t, payload: [&a [x,x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b,*b], " + laughs("c", "defgh") + "]}}": "at most 100 deep and 1048576 bytes",
	} {
		if entries, err := yamlfile.Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q is read as %d entries, %v, want an error that says %q", text, len(entries), err, want)
		}
	}
	if entries, err := yamlfile.Parse("f", []byte("entries: {}")); err != nil || len(entries) != 0 {
		t.Errorf("a file without entries: %v, %v", entries, err)
	}
}

// laughs returns lists, each of nine of the one before it.
func laughs(before, names string) string {
	var lists []string
	for _, name := range strings.Split(names, "") {
		lists = append(lists, "&"+name+" ["+strings.TrimSuffix(strings.Repeat("*"+before+",", 9), ",")+"]")
		before = name
	}
	return strings.Join(lists, ", ")
}

func TestAProviderReadsItsFileAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "periodic.yaml")
	var provider periodic.Provider = yamlfile.New(path)
	if _, err := provider.Entries(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	for _, name := range []string{"one", "two"} {
		text := "entries: {" + name + ": {schedule: '@daily', type: t}}"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := provider.Entries(t.Context())
		if err != nil || len(entries) != 1 || entries[0].Name != name {
			t.Errorf("got %v, %v, want %s", entries, err, name)
		}
	}
}

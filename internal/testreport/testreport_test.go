package main

import (
	"strings"
	"testing"
)

func TestTheReportEndsWithWhatPassedFailedAndWasSkipped(t *testing.T) {
	tests := []struct {
		name   string
		events string
		ok     bool
		last   string
		says   []string // elsewhere in the report
	}{
		{
			name: "a test that passes",
			events: `
				{"Action":"start","Package":"m/a"}
				{"Action":"run","Package":"m/a","Test":"TestX"}
				{"Action":"output","Package":"m/a","Test":"TestX","Output":"chatter\n"}
				{"Action":"pass","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a","Elapsed":1.25}`,
			ok:   true,
			last: "1 passed, 0 failed, 0 skipped",
			says: []string{"ok    m/a: 1 passed (1.2 s)\n"},
		},
		{
			name: "a test that fails shows its output",
			events: `
				{"Action":"output","Package":"m/a","Test":"TestX","Output":"=== RUN   TestX\n"}
				{"Action":"output","Package":"m/a","Test":"TestX","Output":"x_test.go:7: got 1, want 2\n"}
				{"Action":"fail","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a","Test":"TestY"}
				{"Action":"fail","Package":"m/a"}`,
			last: "1 passed, 1 failed, 0 skipped",
			says: []string{"x_test.go:7: got 1, want 2\n", "FAIL  m/a: 1 passed, 1 failed", "failed: m/a TestX\n"},
		},
		{
			name: "a test that is skipped is no success",
			events: `
				{"Action":"skip","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a","Test":"TestY"}
				{"Action":"pass","Package":"m/a"}`,
			last: "1 passed, 0 failed, 1 skipped",
			says: []string{"skipped, which counts as a failure: m/a TestX\n"},
		},
		{
			name: "a test with subtests is not one of its own",
			events: `
				{"Action":"run","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a","Test":"TestX/on/a/b"}
				{"Action":"pass","Package":"m/a","Test":"TestX/on"}
				{"Action":"pass","Package":"m/a","Test":"TestX/off"}
				{"Action":"pass","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a","Test":"TestXY"}
				{"Action":"pass","Package":"m/a"}`,
			ok:   true,
			last: "3 passed, 0 failed, 0 skipped",
		},
		{
			name: "a failing subtest is one failure, not two",
			events: `
				{"Action":"fail","Package":"m/a","Test":"TestX/on"}
				{"Action":"fail","Package":"m/a","Test":"TestX"}
				{"Action":"fail","Package":"m/a"}`,
			last: "0 passed, 1 failed, 0 skipped",
			says: []string{"failed: m/a TestX/on\n"},
		},
		{
			name: "a test that fails after its subtests passed is a failure",
			events: `
				{"Action":"pass","Package":"m/a","Test":"TestX/on"}
				{"Action":"fail","Package":"m/a","Test":"TestX"}
				{"Action":"fail","Package":"m/a"}`,
			last: "1 passed, 1 failed, 0 skipped",
			says: []string{"failed: m/a TestX\n"},
		},
		{
			name: "a package without tests is neither skipped nor enough",
			events: `
				{"Action":"start","Package":"m/a"}
				{"Action":"output","Package":"m/a","Output":"?   \tm/a\t[no test files]\n"}
				{"Action":"skip","Package":"m/a"}`,
			last: "0 passed, 0 failed, 0 skipped",
			says: []string{"-     m/a: no tests\n", "no test ran\n"},
		},
		{
			name:   "no events at all",
			events: ``,
			last:   "0 passed, 0 failed, 0 skipped",
			says:   []string{"no test ran\n"},
		},
		{
			name: "a package that does not build",
			events: `
				{"ImportPath":"m/a","Action":"build-output","Output":"./a.go:3: undefined: x\n"}
				{"ImportPath":"m/a","Action":"build-fail"}
				{"Action":"start","Package":"m/a"}
				{"Action":"fail","Package":"m/a","FailedBuild":"m/a"}
				{"Action":"pass","Package":"m/b","Test":"TestX"}
				{"Action":"pass","Package":"m/b"}`,
			last: "1 passed, 1 failed, 0 skipped",
			says: []string{"./a.go:3: undefined: x\n", "failed: m/a does not build\n"},
		},
		{
			name: "a package that fails although its tests passed",
			events: `
				{"Action":"pass","Package":"m/a","Test":"TestX"}
				{"Action":"output","Package":"m/a","Output":"found a leak\n"}
				{"Action":"fail","Package":"m/a"}`,
			last: "1 passed, 1 failed, 0 skipped",
			says: []string{"found a leak\n", "failed: m/a failed outside its tests\n"},
		},
		{
			name: "a test that never ended",
			events: `
				{"Action":"run","Package":"m/a","Test":"TestX"}
				{"Action":"output","Package":"m/a","Output":"panic: test timed out\n"}
				{"Action":"fail","Package":"m/a"}`,
			last: "0 passed, 1 failed, 0 skipped",
			says: []string{"failed: m/a TestX (did not end)\n", "panic: test timed out\n"},
		},
		{
			name: "input that ends too early",
			events: `
				{"Action":"pass","Package":"m/a","Test":"TestX"}
				{"Action":"run","Package":"m/a","Test":"TestY"}`,
			last: "1 passed, 2 failed, 0 skipped",
			says: []string{"failed: m/a TestY (did not end)\n", "failed: m/a did not end: the input is cut short\n"},
		},
		{
			name: "input that ends within a line",
			events: `
				{"Action":"pass","Package":"m/a","Test":"TestX"}
				{"Action":"pass","Package":"m/a"}
				{"Action":"pass","Pack`,
			last: "1 passed, 1 failed, 0 skipped",
			says: []string{"line 3 of the input is no test event"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ok, out := run(tt.events)
			if ok != tt.ok {
				t.Errorf("all is well: got %v, want %v", ok, tt.ok)
			}
			if !strings.HasSuffix(out, "\n"+tt.last+"\n") {
				t.Errorf("last line: got\n%s\nwant %q", out, tt.last)
			}
			for _, s := range tt.says {
				if !strings.Contains(out, s) {
					t.Errorf("report lacks %q:\n%s", s, out)
				}
			}
			if strings.Contains(out, "chatter") || strings.Contains(out, "=== RUN") {
				t.Errorf("report shows what nobody needs:\n%s", out)
			}
		})
	}
}

func TestTheReportCountsTestsByStorage(t *testing.T) {
	_, out := run(`
		{"Action":"pass","Package":"m/queue/sqlitebroker","Test":"TestSuite/memory/a"}
		{"Action":"pass","Package":"m/queue/sqlitebroker","Test":"TestSuite/file/a"}
		{"Action":"pass","Package":"m/queue/sqlitebroker","Test":"TestSuite"}
		{"Action":"pass","Package":"m/queue/sqlitebroker"}
		{"Action":"fail","Package":"m/queue/redisbroker","Test":"TestSuite/a"}
		{"Action":"fail","Package":"m/queue/redisbroker"}
		{"Action":"pass","Package":"m/queue","Test":"TestDrain/redis"}
		{"Action":"pass","Package":"m/queue","Test":"TestDrain/plain"}
		{"Action":"skip","Package":"m/queue","Test":"TestFill/redis"}
		{"Action":"pass","Package":"m/queue"}`)
	if want := "2 tests ran on SQLite, 2 on Redis\n"; !strings.Contains(out, want) {
		t.Errorf("report lacks %q:\n%s", want, out)
	}
}

func TestATestIsOnTheStorageThatItIsNamedFor(t *testing.T) {
	tests := []struct {
		pkg, test string
		want      string
	}{
		{"m/queue/sqlitebroker", "TestX", "SQLite"},
		{"m/queue/redisbroker", "TestRestoreIntoSQLite", "Redis"},
		{"m/queue", "TestX", ""},
		{"m/queue", "TestX/memory", "SQLite"},
		{"m/queue", "TestX/sqlite:file#01", "SQLite"},
		{"m/queue", "TestX/on_SQLite", "SQLite"},
		{"m/queue", "TestDownOnSQLite", "SQLite"},
		{"m/queue", "TestRedisIsDown", "Redis"},
		{"m/queue", "TestX/redis://host", "Redis"},
		{"m/queue", "TestRedistribute", ""},
		{"m/queue", "TestMove/memory_to_redis", "SQLite Redis"},
	}
	for _, tt := range tests {
		var got []string
		for _, s := range storages(tt.pkg, tt.test) {
			got = append(got, string(s))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("storages(%q, %q) = %q, want %q", tt.pkg, tt.test, got, tt.want)
		}
	}
}

// run reports on events, which may be indented.
func run(events string) (ok bool, out string) {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(events)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	var b strings.Builder
	ok = report(strings.NewReader(strings.Join(lines, "\n")), &b)
	return ok, b.String()
}

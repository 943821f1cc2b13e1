package redisbroker

import (
	"io/fs"
	"strings"
	"testing"
)

// How long asynq keeps figures, and waits for a lease of its own that has ended.
func TestTimesInScriptsAreAsynqs(t *testing.T) {
	for name, want := range map[string]string{
		"lib/settle": "local stats_ttl = 90 * 24 * 60 * 60\n",
		"advance":    "local asynq_grace = 30\n",
	} {
		if !strings.Contains(source(name), want) {
			t.Errorf("lua/%s.lua lacks %q", name, want)
		}
	}
}

func TestEveryScriptSaysWhatItTakesAndReturns(t *testing.T) {
	names, err := fs.Glob(lua, "lua/*.lua")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range names {
		b, err := lua.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var header strings.Builder
		for line := range strings.Lines(string(b)) {
			if !strings.HasPrefix(line, "--") {
				break
			}
			header.WriteString(line)
		}
		for _, part := range []string{"-- KEYS", "-- ARGV", "-- Returns"} {
			if !strings.Contains(header.String(), part) {
				t.Errorf("%s has no line in its header that begins with %q", name, part)
			}
		}
		base := strings.TrimSuffix(strings.TrimPrefix(name, "lua/"), ".lua")
		if first, _, _ := strings.Cut(header.String(), " of "); !strings.HasPrefix(strings.ToLower(first), "-- "+base) {
			t.Errorf("%s does not begin with its name: %q", name, first)
		}
	}
}

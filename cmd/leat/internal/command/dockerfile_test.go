package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/cmd/leat/internal/command"
)

const root = "../../../../"

// dockerfile returns the instructions of the Dockerfile's last stage, by name.
func dockerfile(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(root + "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	stages := strings.Split("\n"+string(text), "\nFROM ")
	last := map[string][]string{}
	for line := range strings.Lines("FROM " + stages[len(stages)-1]) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			last[name] = append(last[name], rest)
		}
	}
	return last
}

// words reads what is written as a list of texts behind prefix.
func words(t *testing.T, text string) (all []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text[strings.Index(text, "["):]), &all); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return all
}

func TestTheImageIsTheProgramAndNothingElse(t *testing.T) {
	d := dockerfile(t)
	if !slices.Equal(d["FROM"], []string{"scratch"}) || !slices.Equal(d["EXPOSE"], []string{"8080"}) {
		t.Errorf("the image is from %q and exposes %q", d["FROM"], d["EXPOSE"])
	}
	if user := d["USER"]; len(user) != 1 || !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user[0]) {
		t.Errorf("the image runs as %q, want as somebody who is not root, by number", user)
	}
	entry := words(t, d["ENTRYPOINT"][0])
	if !slices.Equal(entry, []string{"/leat", "web"}) {
		t.Errorf("the image begins with %q", entry)
	}
	for _, copied := range d["COPY"] {
		if fields := strings.Fields(copied); !slices.Contains([]string{"/leat", "/etc/ssl/certs/"}, fields[len(fields)-1]) {
			t.Errorf("the image has %s", copied)
		}
	}
	known := command.WebVariables()
	for _, v := range strings.Fields(strings.Join(d["ENV"], " ")) {
		if name, _, _ := strings.Cut(v, "="); !slices.Contains(known, name) {
			t.Errorf("the image sets %s, which is no variable of the dashboard", name)
		}
	}
	check := words(t, d["HEALTHCHECK"][0])
	if !slices.Equal(check, []string{"/leat", "web", "--check"}) {
		t.Errorf("the image is checked by %q", check)
	}
	// As the image is run: with what asynqmon documents behind its entry point.
	for _, line := range []string{"--port=3000 --redis-addr=host.docker.internal:6380", "-port=3000 -redis-addr=localhost:6380 --check=false", "--help"} {
		code, out, said := calls(strings.NewReader(""), append(append(entry[1:], strings.Fields(line)...), "--help")...)
		if code != 0 || said != "" || !strings.Contains(out, "--redis-addr") {
			t.Errorf("docker run IMAGE %s exits with %d and says %q", line, code, said)
		}
	}
}

// A service is one of compose.yaml.
type service struct {
	Image       string
	Build       any
	Command     []string
	Environment map[string]string
	Ports       []string
	DependsOn   map[string]any `yaml:"depends_on"`
}

func TestComposeFits(t *testing.T) {
	text, err := os.ReadFile(root + "compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Services map[string]service }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for name, s := range file.Services {
		if (s.Image == "") == (s.Build == nil) || strings.HasSuffix(s.Image, "latest") {
			t.Errorf("service %s has the image %q and is built by %v", name, s.Image, s.Build)
		}
		for needs := range s.DependsOn {
			if _, ok := file.Services[needs]; !ok {
				t.Errorf("service %s needs %s, which is none", name, needs)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("service %s is open to everybody at %s", name, p)
			}
		}
	}
	d := file.Services["dashboard"]
	for name := range d.Environment {
		if !slices.Contains(command.WebVariables(), name) {
			t.Errorf("the dashboard is told %s, which it does not know", name)
		}
	}
	if code, _, said := calls(strings.NewReader(""), append(append([]string{"web"}, d.Command...), "--help")...); code != 0 {
		t.Errorf("the dashboard's arguments %q are refused: %s", d.Command, said)
	}
	for _, role := range []string{"orders", "inventory", "shop"} {
		s := file.Services[role]
		if !slices.Contains(s.Command, role) || s.Environment["OTEL_SERVICE_NAME"] != role || s.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" {
			t.Errorf("service %s is run by %q with %v", role, s.Command, s.Environment)
		}
	}
}

// TestTheCheckAsksTheFirstProcess has a container's process 1 serve on a port that only its
// arguments tell.
func TestTheCheckAsksTheFirstProcess(t *testing.T) {
	s := siteOf(t, nil, "--broker", "memory:")
	port := s.url[strings.LastIndex(s.url, ":")+1:]
	for args, want := range map[string]int{
		"web\x00-port=" + port:                                      0,
		"web\x00--redis-addr\x00a:1\x00--port\x00" + port:           0,
		"web\x00--port=1":                                           5,
		"web\x00--port=" + port + "\x00--check\x00--no-such-flag=1": 0,
		"web\x00--host=127.0.0.1\x00--read-only\x00--port=" + port:  0,
	} {
		file := filepath.Join(t.TempDir(), "cmdline")
		if err := os.WriteFile(file, []byte("/"+filepath.Base(os.Args[0])+"\x00"+args+"\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
		restore := command.SetProcessOne(file)
		code, _, said := calls(strings.NewReader(""), "web", "--check")
		restore()
		if code != want {
			t.Errorf("leat web --check beside %q exits with %d, want %d: %s", args, code, want, said)
		}
	}
}

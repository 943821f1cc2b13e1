package connect_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/task"
)

// loaded returns what flags, an environment and a config file come to. The folder of the
// test holds the file.
func loaded(t *testing.T, file string, environ []string, args ...string) (*connect.Settings, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "leat.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, "LEAT_CONFIG="+path)
	}
	var s connect.Settings
	flags := pflag.NewFlagSet("leat", pflag.ContinueOnError)
	s.Flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &s, s.Load(environ)
}

// sample has two values of each kind, which can be told apart.
var sample = map[connect.Kind][4]string{
	connect.Text: {"one", "two", "three", "four"}, "": {"one", "two", "three", "four"},
	connect.List:     {"a:1,b:2", "c:3", "d:4,e:5", "f:6"},
	connect.Number:   {"11", "12", "13", "14"},
	connect.Truth:    {"true", "false", "true", "false"},
	connect.Duration: {"11s", "12s", "13s", "14s"},
}

func TestTheHighestLayerCounts(t *testing.T) {
	for _, s := range connect.Table() {
		if s.Key == "profile" {
			continue // chooses a layer, and has none below file; see below
		}
		v := sample[s.Kind]
		top := s.Key + ": " + v[3] + "\n"
		profile := "profiles:\n  p:\n    " + s.Key + ": " + v[2] + "\n"
		env, flag := s.Env()+"="+v[1], "--"+s.Key+"="+v[0]
		inProfile := "profile: p\n"
		for _, c := range []struct {
			name, file string
			environ    []string
			args       []string
			want       string
		}{
			{"default", "", nil, nil, s.Default},
			{"file", top, nil, nil, v[3]},
			{"profile", top + profile + inProfile, nil, nil, v[2]},
			{"env", top + profile + inProfile, []string{env}, nil, v[1]},
			{"flag", top + profile + inProfile, []string{env}, []string{flag}, v[0]},
		} {
			if s.Elsewhere && c.name == "flag" {
				continue // the flag is the command's
			}
			got, err := loaded(t, c.file, c.environ, c.args...)
			if err != nil || got.Value(s.Key) != c.want {
				t.Errorf("%s in %s = %q, %v, want %q", s.Key, c.name, got.Value(s.Key), err, c.want)
			}
		}
	}
}

func TestTheProfileIsChosenByTheHighestLayer(t *testing.T) {
	const file = "profile: a\nprofiles: {a: {db: 1}, b: {db: 2}, c: {db: 3}}\n"
	for _, c := range []struct {
		environ, args []string
		want          string
	}{
		{nil, nil, "1"},
		{[]string{"LEAT_PROFILE=b"}, nil, "2"},
		{[]string{"LEAT_PROFILE=b"}, []string{"--profile=c"}, "3"},
	} {
		if got, err := loaded(t, file, c.environ, c.args...); err != nil || got.Value("db") != c.want {
			t.Errorf("db with %v and %v = %s, %v, want %s", c.environ, c.args, got.Value("db"), err, c.want)
		}
	}
}

func TestWhatNamesAStorageComesToAURL(t *testing.T) {
	for _, c := range []struct {
		name, file string
		environ    []string
		args, want string
	}{
		{"nothing", "", nil, "", "redis://127.0.0.1:6379"},
		{"asynq's", "", nil, "-u h:1 -n 2 -U ann -p p@ss/w:rd", "redis://ann:xxxxx@h:1/2"},
		{"an address that is a URL", "", nil, "-u redis://h:1/2", "redis://h:1/2"},
		{"cluster", "", nil, "--cluster --cluster_addrs a:1,b:2", "redis-cluster://a:1,b:2"},
		{"cluster by its nodes", "", nil, "--cluster_addrs a:1,b:2 --shards 4", "redis-cluster://a:1,b:2?shards=4"},
		{"TLS by the server's name", "", nil, "--tls_server x", "rediss://127.0.0.1:6379"},
		{"sentinels", "", nil, "--sentinel_addrs a,b --master m --sentinel_username u --sentinel_password s -n 1", "redis-sentinel://a,b/1?master=m&sentinel_password=xxxxx&sentinel_user=u"},
		{"socket", "", nil, "--socket /run/a.sock -n 3", "redis-socket:///run/a.sock?db=3"},
		{"a URL refined", "broker: redis://h:1/0\n", []string{"LEAT_PASSWORD=x"}, "-n 5 --tls", "rediss://:xxxxx@h:1/5"},
		{"a URL above an address", "uri: h:1\ndb: 3\npassword: x\n", []string{"LEAT_BROKER=sqlite:x.db"}, "", "sqlite:x.db"},
		{"an address above a URL", "broker: redis://u:p@h:1/7\npassword: x\n", nil, "-u other:2", "redis://other:2"},
		{"an address above an address", "uri: h:1\ndb: 3\n", nil, "-u other:2", "redis://other:2/3"},
		{"a cluster above an address", "uri: h:1\nusername: ann\n", nil, "--cluster_addrs a:1", "redis-cluster://ann@a:1"},
		{"an address above a cluster", "cluster: true\ncluster_addrs: [a:1, b:2]\n", nil, "-u h:1", "redis://h:1"},
		{"no cluster above a cluster", "cluster: true\nuri: h:1\n", nil, "--cluster=false", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := loaded(t, c.file, c.environ, strings.Fields(c.args)...)
			if c.want == "" {
				if !errors.Is(err, task.ErrInvalid) {
					t.Errorf("Load() = %v, want ErrInvalid", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.URL()
			if err != nil || sorted(got) != sorted(c.want) {
				t.Errorf("URL() = %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

// sorted has a URL's query in order.
func sorted(url string) string {
	head, query, _ := strings.Cut(url, "?")
	words := strings.Split(query, "&")
	for i := range words {
		for j := range i {
			if words[i] < words[j] {
				words[i], words[j] = words[j], words[i]
			}
		}
	}
	return head + "?" + strings.Join(words, "&")
}

func TestContradictionsAreRefused(t *testing.T) {
	for _, args := range []string{
		"--broker redis://h -u h:1", "--broker redis://h -u redis://h", "--broker redis://h:1/2 -n 3", "--broker redis://:x@h -p y",
		"--insecure", "--broker redis://h --insecure", "--cluster --socket /s", "--broker sqlite:x -n 3", "--broker memory: -p x",
		"--socket /s --tls", "--master m", "--sentinel_addrs a", "-p x --password_file y", "--tls_cert x", "--broker http://a:secret@h",
	} {
		s, err := loaded(t, "", nil, strings.Fields(args)...)
		if err == nil {
			err = s.Check()
		}
		if err == nil && strings.Contains(args, "http") {
			_, err = s.Open(t.Context(), false)
		}
		if !errors.Is(err, task.ErrInvalid) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want ErrInvalid without a password", args, err)
		}
	}
}

func TestWhatIsWrongInAFileIsTold(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"brokr: x\n", `:1": has the key "brokr", which is unknown; is "broker" meant?`},
		{"db: 1\nprofiles:\n  p:\n    passwort: x\n", `:4": has the key "passwort", which is unknown; is "password" meant?`},
		{"db: x\n", "must be a number"},
		{"db: 1\ndb: 2\n", `:2": says "db" twice`},
		{"db:\n", "no value"},
		{"a: [\n", "line"},
		{"- a\n", "must be settings"},
		{"profile: q\nprofiles: {p: {}}\n", "is none of those"},
		{"timeout: -1s\n", "must be a duration"},
		{"refresh: 0s\n", "must be a duration"},
	} {
		_, err := loaded(t, c.file, nil)
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want ErrInvalid with %q", c.file, err, c.want)
		}
	}
	if _, err := loaded(t, "", []string{"LEAT_CONFIG=/nowhere/leat.yaml"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v, want ErrNotExist", err)
	}
	if _, err := loaded(t, "", nil, "--profile", "x"); !errors.Is(err, task.ErrInvalid) {
		t.Errorf("a profile without a file: %v, want ErrInvalid", err)
	}
}

func TestTheFileIsLookedForInItsPlaces(t *testing.T) {
	home := t.TempDir()
	environ := []string{"HOME=" + home}
	want := []string{filepath.Join(home, ".leat.yaml"), filepath.Join(home, ".config", "leat", "config.yaml")}
	for _, path := range want {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := loaded(t, "", environ); err != nil || s.FilePath() != path {
			t.Errorf("FilePath() = %s, %v, want %s", s.FilePath(), err, path)
		}
	}
	if got := connect.Places(append(environ, "XDG_CONFIG_HOME=/x"))[0]; got != "/x/leat/config.yaml" {
		t.Errorf("Places() begins with %s, want that of XDG_CONFIG_HOME", got)
	}
}

func TestNobodyIsShownAPassword(t *testing.T) {
	s, err := loaded(t, "broker: redis://ann:secret1@h/0\n", []string{"LEAT_SENTINEL_PASSWORD=secret2"}, "-p", "secret3")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.InForce() {
		if strings.Contains(v.Text, "secret") {
			t.Errorf("%s is shown as %s", v.Key, v.Text)
		}
	}
	for _, url := range []string{"redis://ann:sec/ret@h/0", "redis://:secret@h", "x://a:secret@b?sentinel_password=secret", "redis://a:se@cret@h"} {
		if got := connect.Redacted(url); strings.Contains(got, "secret") || strings.Contains(got, "ret@") {
			t.Errorf("Redacted(%q) = %q, which tells it", url, got)
		}
	}
}

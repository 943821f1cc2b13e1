package connect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/task"
)

// aliased returns what a command comes to that has asynqmon's names of settings, too.
func aliased(t *testing.T, environ []string, args ...string) (*connect.Settings, error) {
	t.Helper()
	flags := pflag.NewFlagSet("leat", pflag.ContinueOnError)
	s := connect.Settings{Aliases: flags}
	s.Flags(flags)
	connect.AliasFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &s, s.Load(environ)
}

func TestTheNamesOfAsynqmon(t *testing.T) {
	for name, c := range map[string]struct{ env, args, want string }{
		"nothing":                        {"", "", "redis://127.0.0.1:6379"},
		"an address":                     {"", "--redis_addr a:1 --redis_db 2", "redis://a:1/2"},
		"a URL":                          {"REDIS_URL=redis://a:1/2", "", "redis://a:1/2"},
		"nodes":                          {"REDIS_CLUSTER_NODES=a:1,b:2", "", "redis-cluster://a:1,b:2"},
		"nodes before all else":          {"REDIS_CLUSTER_NODES=a:1 REDIS_URL=redis://b REDIS_ADDR=c:1 REDIS_DB=3", "", "redis-cluster://a:1"},
		"a URL before an address":        {"", "--redis_url redis://b/4 --redis_addr c:1 --redis_db 3", "redis://b/4"},
		"sentinels":                      {"", "--redis_url redis-sentinel://:p@a:1,b:2?master=m", "redis-sentinel://:xxxxx@a:1,b:2?master=m"},
		"a socket":                       {"REDIS_URL=redis-socket:///run/r?db=2", "--redis_insecure_tls=false", "redis-socket:///run/r?db=2"},
		"a password":                     {"REDIS_PASSWORD=p", "--redis_addr a:1", "redis://:xxxxx@a:1"},
		"what the URL does not say":      {"REDIS_URL=redis://a REDIS_DB=3", "", "redis://a/3"},
		"TLS by a name":                  {"", "--redis_tls n --redis_url redis://a", "rediss://a"},
		"TLS without a check":            {"REDIS_INSECURE_TLS=true", "", "rediss://127.0.0.1:6379"},
		"TLS twice, but the same":        {"", "--redis_insecure_tls --tls", "rediss://127.0.0.1:6379"},
		"empty is nothing":               {"REDIS_URL= REDIS_DB=", "--redis_tls=", "redis://127.0.0.1:6379"},
		"a flag before the environment":  {"REDIS_ADDR=a:1 REDIS_DB=3", "--redis_addr b:2", "redis://b:2/3"},
		"Leat's environment before that": {"LEAT_URI=b:2 REDIS_ADDR=a:1", "", "redis://b:2"},
		"of Leat, a URL replaces":        {"LEAT_BROKER=sqlite:x.db REDIS_ADDR=a:1 REDIS_DB=3", "", "sqlite:x.db"},
		"a flag refines that":            {"LEAT_BROKER=redis://a", "--redis_db 5", "redis://a/5"},
		"a flag replaces that":           {"LEAT_BROKER=redis://a/1", "--redis_addr b:1", "redis://b:1"},
	} {
		s, err := aliased(t, strings.Fields(c.env), strings.Fields(c.args)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := s.URL(); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestTheEnvironmentOfAsynqmonIsForCommandsThatHaveItsFlags(t *testing.T) {
	s, err := loaded(t, "", []string{"REDIS_URL=redis://a", "REDIS_DB=x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.URL(); err != nil || got != "redis://127.0.0.1:6379" {
		t.Errorf("URL() = %q, %v, want the default", got, err)
	}
}

func TestContradictionsWithTheNamesOfAsynqmon(t *testing.T) {
	for args, both := range map[string][2]string{
		"--broker redis://a --redis_addr b:1":                  {"--broker", "--redis-addr"},
		"--broker redis://a --redis_url redis://b":             {"--broker", "--redis-url"},
		"--uri a:1 --redis_addr b:1":                           {"--uri", "--redis-addr"},
		"--uri a:1 --redis_cluster_nodes b:1":                  {"--uri", "--redis-cluster-nodes"},
		"--db 1 --redis_db 2":                                  {"--db", "--redis-db"},
		"--password a --redis_password b":                      {"--password", "--redis-password"},
		"--password_file a --redis_password b":                 {"--password_file", "--redis-password"},
		"--tls_server a --redis_tls b":                         {"--tls_server", "--redis-tls"},
		"--sentinel_addrs a:1 --master m --redis_url redis://": {"--sentinel_addrs", "--redis-url"},
	} {
		_, err := aliased(t, nil, strings.Fields(args)...)
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), both[0]) || !strings.Contains(err.Error(), both[1]) {
			t.Errorf("%s: %v, want a contradiction of %s and %s", args, err, both[0], both[1])
		}
	}
	_, err := aliased(t, []string{"REDIS_DB=x"})
	if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "REDIS_DB") {
		t.Errorf("REDIS_DB=x: %v, want it refused", err)
	}
}

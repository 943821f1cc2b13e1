package command_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/command"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/brokerurl"
)

// calls calls the program, and returns its exit code and what it wrote.
func calls(in io.Reader, args ...string) (code int, out, said string) {
	var o, e strings.Builder
	code = command.Main(args, in, &o, &e)
	return code, o.String(), e.String()
}

// walk calls visit with every command below c.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	for _, below := range c.Commands() {
		visit(below)
		walk(below, visit)
	}
}

// path returns the words that call c, without the name of the program.
func path(c *cobra.Command) []string { return strings.Fields(c.CommandPath())[1:] }

// refused demands that a call is refused as a fault of the command line.
func refused(t *testing.T, args ...string) {
	t.Helper()
	if code, out, said := calls(strings.NewReader(""), args...); code != 2 || out != "" || said == "" {
		t.Errorf("leat %s exits with %d, writes %q and says %q, want 2, nothing and why", strings.Join(args, " "), code, out, said)
	}
}

func TestEveryCommandRefusesAnUnknownFlag(t *testing.T) {
	refused(t, "--no-such-flag")
	walk(command.Tree(), func(c *cobra.Command) {
		refused(t, append(path(c), "--no-such-flag")...)
		if c.HasSubCommands() {
			refused(t, append(path(c), "no-such-verb")...)
		}
	})
}

// needs matches the synopsis of a command that cannot be called without arguments.
var needs = regexp.MustCompile(`^\S+ (\(|(\[QUEUE/\])?[A-Za-z])`)

func TestEveryCommandRefusesToDoWithoutWhatItNeeds(t *testing.T) {
	var some int
	walk(command.Tree(), func(c *cobra.Command) {
		if needs.MatchString(c.Use) {
			some++
			refused(t, append(path(c), "--broker", "memory:")...)
		}
	})
	if some < 20 {
		t.Errorf("%d commands need something, want more", some)
	}
}

// TestAStorageThatDoesNotAnswerIsUnreachable calls commands on a server that takes
// connections, and never answers.
func TestAStorageThatDoesNotAnswerIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // has not served
	for _, line := range []string{"queue ls", "stats", "server ls", "group ls", "task ls", "task cancel mail/a", "workflow ls", "periodic ls", "task enqueue -t a", "doctor"} {
		args := append(strings.Fields(line), "--timeout", "50ms", "-u", l.Addr().String())
		if code, out, said := calls(strings.NewReader(""), args...); code != 5 || out != "" || !strings.Contains(said, l.Addr().String()) {
			t.Errorf("leat %s exits with %d, writes %q and says %q, want 5, nothing and who does not answer", line, code, out, said)
		}
	}
}

// A killer is an input which tells names when it has killed a server.
type killer struct {
	server *redistest.Server
	names  io.Reader
}

func (k *killer) Read(p []byte) (int, error) {
	if k.server != nil {
		k.server.Kill()
		k.server = nil
	}
	return k.names.Read(p)
}

func TestAStorageThatGoesAwayIsUnreachable(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	code, _, said := calls(&killer{r, strings.NewReader("mail\npush\n")}, "queue", "pause", "-", "--broker", r.URL())
	if code != 5 || said == "" {
		t.Errorf("leat queue pause exits with %d and says %q, want 5 and why", code, said)
	}
}

// TestListsHaveTheColumnsOfAsynq compares headings with those of asynq's tool.
func TestListsHaveTheColumnsOfAsynq(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "leat.db")
	b, err := brokerurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"each", "groups", "servers", "scheduler"} {
		if err := fillings[name](t.Context(), b); err != nil {
			t.Fatal(name, err)
		}
	}
	for line, columns := range map[string]string{
		"task ls -q each -s active":           "ID, Type, Payload",
		"task ls -q each -s pending":          "ID, Type, Payload",
		"task ls -q each -s aggregating -g g": "ID, Type, Payload, Group",
		"task ls -q each -s scheduled":        "ID, Type, Payload, Process In",
		"task ls -q each -s retry":            "ID, Type, Payload, Next Retry, Last Error, Last Failed, Retried, Max Retry",
		"task ls -q each -s archived":         "ID, Type, Payload, Last Failed, Last Error",
		"task ls -q each -s completed":        "ID, Type, Payload, CompletedAt, Result",
		"queue history each":                  "Date (UTC), Processed, Failed, Error Rate",
		"group ls -q mail":                    "Group",
		"server ls":                           "Host, PID, State, Active Workers, Queues, Started",
		"cron ls":                             "EntryID, Spec, Type, Payload, Options, Next, Prev",
		"cron history heartbeat":              "TaskID, EnqueuedAt",
	} {
		code, out, said := calls(strings.NewReader(""), append(strings.Fields(line), "--broker", url)...)
		head, _, _ := strings.Cut(out, "\n")
		if code != 0 {
			t.Errorf("leat %s exits with %d and says %q", line, code, said)
		}
		for _, name := range strings.Split(columns, ", ") {
			if !strings.Contains(strings.ToLower(head)+" ", strings.ToLower(name)+" ") {
				t.Errorf("leat %s: no column %s in %q", line, name, head)
			}
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAClusterTellsWhereItsQueuesAre lists the queues of a cluster with what finds them.
func TestAClusterTellsWhereItsQueuesAre(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{})
	seeds := x.Nodes[0].Addr + "," + x.Nodes[1].Addr
	b, err := brokerurl.Open("redis-cluster://" + seeds)
	if err != nil {
		t.Fatal(err)
	}
	if err := fillPending(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	slot := strings.TrimSpace(fmt.Sprint(x.Nodes[0].Do(t, "CLUSTER", "KEYSLOT", "{mail}")))
	for line, wants := range map[string][]string{
		"queue ls -o wide": {"KeySlot", "Nodes", slot},
		"stats":            {"mail", "Cluster State", "ok", "Cluster Known Nodes", "Cluster Size"},
		"stats -o json":    {`"cluster_state": "ok"`, `"cluster_size"`},
	} {
		code, out, said := calls(strings.NewReader(""), append(strings.Fields(line), "--cluster", "--cluster_addrs", seeds)...)
		for _, want := range wants {
			if code != 0 || !strings.Contains(out, want) {
				t.Errorf("leat %s exits with %d, says %q and does not tell of %s:\n%s", line, code, said, want, out)
			}
		}
	}
}

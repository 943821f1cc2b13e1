package command_test

import (
	"strings"
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/command"
)

// TestTheWordsOfAsynqAreUnderstood asks for help behind commands and flags that asynq's
// tool has, and others: a flag that is none, or a value that it cannot have, is refused before.
func TestTheWordsOfAsynqAreUnderstood(t *testing.T) {
	for line, means := range map[string]string{
		"task ls -q mail -s retry --page 2 --size 10":                 "leat task ls",
		"task list --queue mail --state aggregating --group g":        "leat task ls",
		"task ls --all-queues -g g --limit 3 --newest --after x":      "leat task ls",
		"task inspect -q mail -i a":                                   "leat task inspect",
		"task get --queue mail --id a":                                "leat task inspect",
		"task show mail/a":                                            "leat task inspect",
		"task cancel a b":                                             "leat task cancel",
		"task run --queue mail --id a":                                "leat task run",
		"task archive -q mail -i a -i b":                              "leat task archive",
		"task delete -q mail -i a":                                    "leat task delete",
		"task rm -q mail -i a":                                        "leat task delete",
		"task remove -q mail -i a":                                    "leat task delete",
		"task recover mail/a":                                         "leat task recover",
		"task drop mail/a":                                            "leat task drop",
		"task reschedule mail/a --in 5m":                              "leat task reschedule",
		"task edit mail/a --payload_file f":                           "leat task edit",
		"task runall --queue mail --state archived --group g":         "leat task run-all",
		"task run-all -q a -q b -s retry,archived -y":                 "leat task run-all",
		"task archiveall --queue mail --state pending":                "leat task archive-all",
		"task archive-all --all_queues --dry_run":                     "leat task archive-all",
		"task deleteall --queue mail --state completed":               "leat task delete-all",
		"task delete-all -q mail":                                     "leat task delete-all",
		"task cancelall -q mail":                                      "leat task cancel-all",
		"task enqueue -t mail -l x --retry 3 --queue q --id a":        "leat task enqueue",
		"task enqueue --type_name mail --payload x --timeout 1m":      "leat task enqueue",
		"task enqueue --deadline x --unique 1m --process_at x":        "leat task enqueue",
		"task enqueue --process_in 1m --retention 1h --group g":       "leat task enqueue",
		"task enqueue --payload_file f --header a=b --start_by x":     "leat task enqueue",
		"task enqueue --max_crashes 1 --unique_key k --on_conflict x": "leat task enqueue",
		"task enqueue --unique_until_done --unique_for 1m":            "leat task enqueue",
		"task enqueue --from f --wait -u localhost:1 -n 1 -U u -p p":  "leat task enqueue",
		"result -q mail -i a --hex":                                   "leat result",
		"wait -q mail -i a --timeout 1m":                              "leat wait",
		"tail -q mail -s retry --since 1m --for 1m --count 1":         "leat tail",
		"top --refresh 1s --by latency --count 1":                     "leat top",
		"stats --json":                        "leat stats",
		"queue list":                          "leat queue ls",
		"queue ls":                            "leat queue ls",
		"queue inspect a b":                   "leat queue inspect",
		"queue history a b --days 3":          "leat queue history",
		"queue history a -x 3":                "leat queue history",
		"queue pause a b":                     "leat queue pause",
		"queue resume a b":                    "leat queue unpause",
		"queue unpause a":                     "leat queue unpause",
		"queue remove a b --force":            "leat queue rm",
		"queue rm a -f":                       "leat queue rm",
		"queue delete a":                      "leat queue rm",
		"group list --queue a":                "leat group ls",
		"group ls -q a":                       "leat group ls",
		"group rm -q a g":                     "leat group delete",
		"server list":                         "leat server ls",
		"server ls":                           "leat server ls",
		"cron list":                           "leat periodic ls",
		"cron ls":                             "leat periodic ls",
		"cron history a b --page 2 --size 9":  "leat periodic history",
		"dash --refresh 8s":                   "leat dash",
		"version":                             "leat version",
		"--uri a:1 --db 2 stats":              "leat stats",
		"-u a:1 -n 2 -U u -p p stats":         "leat stats",
		"stats --username u --password p":     "leat stats",
		"stats --cluster --cluster_addrs a,b": "leat stats",
		"stats --cluster --cluster-addrs a,b": "leat stats",
		"stats --tls --tls_server a":          "leat stats",
		"stats --config f --insecure":         "leat stats",
	} {
		var out, said strings.Builder
		code := command.Main(append(strings.Fields(line), "--help"), strings.NewReader(""), &out, &said)
		help := out.String()
		if code != 0 || said.String() != "" || !strings.Contains(help, means+" ") && !strings.Contains(help, means+"\n") {
			t.Errorf("leat %s --help exits with %d, says %q and tells of something else than %s:\n%s", line, code, said.String(), means, help)
		}
	}
}

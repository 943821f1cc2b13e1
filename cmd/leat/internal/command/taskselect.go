package command

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A taskSelection is how a command line says which tasks it is about, without naming
// them one by one: by flags, as asynq has them, and by a query.
type taskSelection struct {
	queues []string
	all    bool
	states []string
	group  string
}

func (s *taskSelection) flags(c *cobra.Command) {
	c.Flags().StringSliceVarP(&s.queues, "queue", "q", nil, "tasks of this queue; may be given several times")
	c.Flags().BoolVar(&s.all, "all-queues", false, "tasks of all queues")
	c.Flags().StringSliceVarP(&s.states, "state", "s", nil, "tasks in this state: "+stateNames()+"; several with commas")
	c.Flags().StringVarP(&s.group, "group", "g", "", "tasks that wait in this group")
	c.MarkFlagsMutuallyExclusive("queue", "all-queues")
}

// search returns the search for what the flags and the query in args mean.
func (s *taskSelection) search(i *queue.Inspector, args []string) (*query.Search, error) {
	q, fault := query.Tasks.Parse(strings.Join(args, " "))
	faults := []error{fault}
	var states []task.State
	for _, word := range s.states {
		state, fault := task.ParseState(word)
		if fault != nil {
			fault = task.Invalid("--state", word, "is none of "+stateNames())
		}
		states = append(states, state)
		faults = append(faults, fault)
	}
	for _, name := range s.queues {
		faults = append(faults, task.CheckMadeName("--queue", name))
	}
	return &query.Search{Inspector: i, Query: q, Queues: s.queues, States: states, Group: s.group}, errors.Join(faults...)
}

func stateNames() string {
	var names []string
	for _, s := range task.States() {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

// queryHelp says what a query is, where a command takes one.
const queryHelp = `A query is terms, all of which must hold: state:retry 'error~timeout' 'age>5m'. See
"leat help query". One that begins with a minus comes after "--".`

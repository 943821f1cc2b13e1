package command

import "github.com/spf13/cobra"

// workflowCommand returns what can be done with workflows and their runs.
func (a *app) workflowCommand() *cobra.Command {
	n := &runNaming{}
	verbs := []*cobra.Command{
		a.workflowListCommand(), a.workflowShowCommand(n), a.workflowHistoryCommand(n), a.workflowResultCommand(n),
		a.workflowStartCommand(n), a.workflowSignalCommand(n), a.workflowSkipCommand(n),
		a.workflowRetryCommand(n), a.workflowRemoveCommand(n), a.workflowWaitCommand(n),
	}
	for _, v := range runVerbs() {
		verbs = append(verbs, a.runVerbCommand(n, v))
	}
	c := noun("workflow", "Look at runs of workflows, start, signal, retry and cancel them", verbs...)
	c.Aliases = []string{"wf", "workflows"}
	c.Long = "Look at runs of workflows, start, signal, retry and cancel them.\n\n" + runNamingHelp
	n.flags(c)
	return c
}

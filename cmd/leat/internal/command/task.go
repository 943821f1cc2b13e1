package command

import "github.com/spf13/cobra"

// taskCommand returns what can be done with tasks.
func (a *app) taskCommand() *cobra.Command {
	verbs := []*cobra.Command{a.taskListCommand(), a.taskInspectCommand(), a.taskEnqueueCommand(), a.taskRescheduleCommand(), a.taskTransferCommand(), a.taskEditCommand()}
	for _, v := range taskVerbs() {
		verbs = append(verbs, a.taskVerbCommand(v))
	}
	for _, v := range bulkVerbs() {
		verbs = append(verbs, a.taskBulkCommand(v))
	}
	return noun("task", "Look at tasks, enqueue, cancel, run, archive and delete them", verbs...)
}

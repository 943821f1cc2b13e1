package command

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/workflow"
)

func (a *app) workflowWaitCommand(n *runNaming) *cobra.Command {
	var within time.Duration
	c := &cobra.Command{
		Use:     "wait RUN...",
		Short:   "Wait until runs have ended, and fail unless they are done",
		Long:    "Wait until runs have ended, and fail unless they are done. A run that is stuck has failed.\n\n" + runNamingHelp,
		Example: "  leat workflow wait order-17 --timeout 1m && echo done",
		RunE: func(c *cobra.Command, args []string) error {
			end := time.Now().Add(within)
			return a.eachRun(c.Context(), n, args, "run %s is done", func(h workflow.Handle, ctx context.Context) error {
				if within == 0 {
					return awaitRun(h, ctx)
				}
				ctx, cancel := context.WithDeadlineCause(ctx, end, fmt.Errorf("has not ended within %v", within))
				defer cancel()
				return awaitRun(h, ctx)
			})
		},
	}
	c.Flags().DurationVar(&within, "timeout", 0, "how long to wait; 0: as long as it takes")
	return c
}

// awaitRun waits for a run, and says why it was not waited for any longer.
func awaitRun(h workflow.Handle, ctx context.Context) error {
	err := h.Wait(ctx)
	if cause := cutShort(ctx); err != nil && cause != nil {
		return fmt.Errorf("run %s/%s %w", h.Queue(), h.ID, cause)
	}
	return err
}

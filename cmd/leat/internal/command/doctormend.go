package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/queue/broker"
)

// A mending is how what contradicts itself is to be put right.
type mending struct {
	wanted   bool
	yes, dry bool
}

func (m *mending) flags(c *cobra.Command) {
	c.Flags().BoolVar(&m.wanted, "mend", false, "put right what contradicts itself and has one plain remedy, once that was shown and agreed to")
	c.Flags().BoolVarP(&m.yes, "yes", "y", false, "with --mend: do not ask")
	c.Flags().BoolVar(&m.dry, "dry-run", false, "with --mend: only say what would be done")
}

// check refuses flags that mean nothing.
func (m *mending) check() error {
	if (m.yes || m.dry) && !m.wanted {
		return usage(errors.New("--yes and --dry-run are about --mend"))
	}
	return nil
}

// mend shows what has a remedy, asks, and applies it. It returns what was mended, and
// whether that is all that is wanted.
func (a *app) mend(ctx context.Context, m mending) (done []finding, enough bool, err error) {
	i, err := a.inspector(ctx)
	if err != nil {
		return nil, true, err
	}
	if !m.yes || m.dry {
		would, err := i.Mend(ctx, true)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, false, a.Note("There are no remedies for this storage.")
		}
		if err != nil {
			return nil, true, err
		}
		curable := remedies("mend", levelBroken, would)
		if len(curable) == 0 {
			return nil, m.dry, a.Note("There is nothing to mend.")
		}
		if m.dry || a.Format.ForPeople() {
			err = a.showFindings(curable)
		}
		if err == nil && !m.dry {
			err = output.Confirm(&a.Printer, a.in, output.Question{Do: "mend", What: plural(len(curable), "fault") + ""})
		}
		if err != nil || m.dry {
			return nil, true, err
		}
	}
	mended, err := i.Mend(ctx, false)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, false, a.Note("There are no remedies for this storage.")
	}
	if err != nil && len(mended) > 0 {
		err = coded{fmt.Errorf("mended %d, and then: %w", len(remedies("mended", levelMended, mended)), err), errPartly}
	}
	return remedies("mended", levelMended, mended), err != nil, err
}

// remedies returns the faults for which there is a remedy, and which.
func remedies(code string, l level, all []broker.Mended) (found []finding) {
	for _, m := range all {
		if m.Done != "" {
			found = append(found, finding{Code: code, Level: l, Text: m.Fault, Remedy: m.Done})
		}
	}
	return found
}

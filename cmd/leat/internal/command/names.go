package command

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// names returns those that args name, or the lines of the program's input where args
// has "-", or nothing and the input is not a terminal. None at all is a fault of the
// command line: what is wanted says of what.
func (a *app) names(wanted string, args []string) ([]string, error) {
	if len(args) == 0 && !output.IsTerminal(a.in) {
		args = []string{"-"}
	}
	var names []string
	for _, arg := range args {
		if arg != "-" {
			names = append(names, arg)
			continue
		}
		lines := bufio.NewScanner(a.in)
		for lines.Scan() {
			if name := strings.TrimSpace(lines.Text()); name != "" {
				names = append(names, name)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
	}
	if len(names) == 0 {
		return nil, usage(fmt.Errorf("no %s is named", wanted))
	}
	return names, nil
}

package output_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/output"
)

func TestWhereNobodyCanBeAskedItIsRefused(t *testing.T) {
	var out, said strings.Builder
	p := &output.Printer{Out: &out, Err: &said}
	err := output.Confirm(p, strings.NewReader("yes\n"), output.Question{Do: "delete", What: "3 tasks of mail"})
	if !errors.Is(err, output.ErrNobodyToAsk) || !strings.Contains(err.Error(), "delete 3 tasks of mail") || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("Confirm() = %v, want ErrNobodyToAsk that names what was to be done, and --yes", err)
	}
	if out.String()+said.String() != "" {
		t.Errorf("Confirm() wrote %q and said %q, want nothing", &out, &said)
	}
}

func TestOnlyATerminalHasABar(t *testing.T) {
	var said strings.Builder
	b := output.NewBar(&output.Printer{Err: &said}, "deleting", 10)
	b.Set(5)
	b.End()
	if said.String() != "" {
		t.Errorf("a bar wrote %q into what is no terminal", said.String())
	}
}

func TestOnlyWithColoursAreWordsColoured(t *testing.T) {
	plain, coloured := &output.Printer{}, &output.Printer{Color: true}
	if got := output.State(plain, "active"); got != "active" {
		t.Errorf("State() = %q, want the word alone", got)
	}
	if got := output.State(coloured, "active"); got != "\x1b[32mactive\x1b[m" {
		t.Errorf("State() = %q, want it green", got)
	}
	if got := output.State(coloured, "elsewhere"); got != "elsewhere" {
		t.Errorf("State() = %q, want a word that is no state as it is", got)
	}
}

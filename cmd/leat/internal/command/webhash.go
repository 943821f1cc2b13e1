package command

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/web/access"
)

// writeHash reads a password, which a terminal does not show, and writes its hash.
func (a *app) writeHash() error {
	password, err := a.readSecret()
	if err != nil {
		return err
	}
	if len(password) < 8 {
		return usage(errors.New("a password must have at least 8 bytes"))
	}
	hash, err := access.HashPassword(password)
	if err != nil {
		return err
	}
	return a.Print("%s", hash)
}

func (a *app) readSecret() (string, error) {
	f, ok := a.in.(*os.File)
	if !ok || !output.IsTerminal(f) {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	}
	if _, err := io.WriteString(a.Err, "Password: "); err != nil {
		return "", err
	}
	text, err := term.ReadPassword(int(f.Fd()))
	return string(text), errors.Join(err, a.Say(""))
}

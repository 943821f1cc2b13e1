package command

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// credentials are the flags that say how to know who asks.
func (o *webOptions) credentials() []string {
	var said []string
	for flag, value := range map[string]string{"user-file": o.users, "token-file": o.tokens, "trusted-header": o.header} {
		if value != "" {
			said = append(said, "--"+flag)
		}
	}
	return said
}

// authoriser returns who says who asks; nil: whoever is on this machine does.
func (o *webOptions) authoriser() (access.Authoriser, error) {
	var all []access.Authoriser
	for _, way := range []struct {
		said string
		make func() (access.Authoriser, error)
	}{
		{o.header, o.trusted}, {o.tokens, o.bearer}, {o.users, o.basic}, {o.openTo(), o.everybody},
	} {
		if way.said == "" {
			continue
		}
		a, err := way.make()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return nil, nil //nolint:nilnil // as web.Config has it
	}
	return access.First(all...)
}

// openTo returns the role of everybody: none if there are credentials, unless the command
// line says both.
func (o *webOptions) openTo() string {
	if len(o.credentials()) > 0 && !o.told["anyone"] {
		return ""
	}
	return o.anyone
}

func (o *webOptions) everybody() (access.Authoriser, error) {
	role, err := access.ParseRole(o.anyone)
	if err != nil || role == access.Nobody {
		return nil, task.Invalid("--anyone", o.anyone, "must be viewer, operator or admin")
	}
	return access.Anyone(role)
}

func (o *webOptions) trusted() (access.Authoriser, error) {
	h := access.Headers{User: o.header, Role: o.roleHeader}
	if h.Role == "" {
		h.Default = access.Admin
	}
	for _, text := range o.proxies {
		network, err := netip.ParsePrefix(text)
		if addr, bad := netip.ParseAddr(text); bad == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, task.Invalid("--trusted-proxy", text, "must be an address, or a network such as 10.0.0.0/8")
		}
		h.Proxies = append(h.Proxies, network)
	}
	if len(h.Proxies) == 0 {
		return nil, task.Invalid("--trusted-header", o.header, "needs --trusted-proxy: from there it is believed, and from nowhere else")
	}
	return access.TrustedHeader(h)
}

func (o *webOptions) basic() (access.Authoriser, error) {
	var users []access.User
	err := each(o.users, func(name string, role access.Role, hash string) error {
		if !strings.HasPrefix(hash, "pbkdf2-") {
			return errors.New(`must end with a hash, which "leat web --hash" writes`)
		}
		users = append(users, access.User{Name: name, Role: role, Password: hash})
		return nil
	})
	if err != nil {
		return nil, err
	}
	a, err := access.Basic(users...)
	return a, within("--user-file", o.users, err)
}

func (o *webOptions) bearer() (access.Authoriser, error) {
	var tokens []access.Token
	err := each(o.tokens, func(name string, role access.Role, token string) error {
		tokens = append(tokens, access.Token{Name: name, Role: role, Value: token})
		return nil
	})
	if err != nil {
		return nil, err
	}
	a, err := access.Bearer(tokens...)
	return a, within("--token-file", o.tokens, err)
}

func within(flag, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", flag, path, err)
}

// each calls f with every line of a file with names, roles and secrets. Lines that are empty or
// begin with # are none. All faults are told, each with its line, and none of the secrets.
func each(path string, f func(name string, role access.Role, secret string) error) (err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines, n := bufio.NewScanner(bytes.NewReader(text)), 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		parts := strings.SplitN(line, ":", 3)
		if len(parts) < 3 {
			err = errors.Join(err, task.Invalid("line", fmt.Sprintf("%s:%d", path, n), "must be NAME:ROLE:SECRET"))
			continue
		}
		role, bad := access.ParseRole(parts[1])
		if bad == nil {
			bad = f(parts[0], role, parts[2])
		}
		if bad != nil {
			err = errors.Join(err, task.Invalid("line", fmt.Sprintf("%s:%d", path, n), bad.Error()))
		}
	}
	return errors.Join(err, lines.Err())
}

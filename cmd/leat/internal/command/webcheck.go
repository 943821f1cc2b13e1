package command

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// processOne is where the arguments of the first process are, on Linux.
var processOne = "/proc/1/cmdline"

// likeFirst has the same checked that process 1 serves, if that is this program: in a
// container it is, and its arguments are nobody's but the one's who has started it. What
// is told on the command line counts more.
func (o *webOptions) likeFirst() {
	text, err := os.ReadFile(processOne)
	if err != nil {
		return // there is none, as on other systems
	}
	args := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	if filepath.Base(args[0]) != filepath.Base(os.Args[0]) {
		return
	}
	var first webOptions
	flags := pflag.NewFlagSet("web", pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true // those of the storage
	flags.SetNormalizeFunc(dashes)
	first.flags(flags)
	if flags.Parse(singleDash(args[1:])) != nil {
		return // it would not run
	}
	for name, take := range map[string]func(){
		"host":       func() { o.host = first.host },
		"port":       func() { o.port = first.port },
		"serve-cert": func() { o.cert = first.cert },
	} {
		if flags.Changed(name) && !o.told[name] {
			take()
		}
	}
}

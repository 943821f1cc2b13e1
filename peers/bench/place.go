package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A place is where and with what the figures came about.
type place struct {
	day      string
	cpu      string
	cores    int
	kernel   string
	load     string // before anything was measured
	versions []string
}

// here returns what can be found out about this place.
func here() place {
	p := place{
		day:    time.Now().Format(time.DateOnly),
		cpu:    cpuName(),
		cores:  runtime.NumCPU(),
		kernel: said("uname", "-sr"),
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		p.load, _, _ = strings.Cut(string(text), " ")
	}
	p.versions = append(p.versions, "Leat "+cmp.Or(said("git", "describe", "--always", "--dirty"), "of unknown version"), runtime.Version())
	if text := said("redis-server", "--version"); text != "" {
		p.versions = append(p.versions, "Redis "+strings.TrimPrefix(field(text, "v="), "v="))
	}
	if bin := postgresBin(); bin != "" {
		_, version, _ := strings.Cut(said(filepath.Join(bin, "postgres"), "--version"), ") ")
		version, _, _ = strings.Cut(version, " ")
		p.versions = append(p.versions, "PostgreSQL "+version)
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if name, ok := namedModules[m.Path]; ok {
				p.versions = append(p.versions, name+" "+m.Version)
			}
		}
	}
	return p
}

var namedModules = map[string]string{
	"github.com/hibiken/asynq":      "asynq",
	"github.com/riverqueue/river":   "River",
	"github.com/jackc/pgx/v5":       "pgx",
	"github.com/redis/go-redis/v9":  "go-redis",
	"github.com/ncruces/go-sqlite3": "go-sqlite3",
}

func (p place) String() string {
	text := fmt.Sprintf("On %s, with %d cores of %s, %s", p.day, p.cores, cmp.Or(p.cpu, "an unknown kind"), cmp.Or(p.kernel, runtime.GOOS))
	if p.load != "" {
		text += ", a load of " + p.load + " before it began"
	}
	return text + "; " + strings.Join(p.versions, ", ") + "."
}

func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return said("sysctl", "-n", "machdep.cpu.brand_string")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// said returns what a program prints, or nothing if it cannot be run.
func said(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// field returns the word of text that begins with prefix.
func field(text, prefix string) string {
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, prefix) {
			return word
		}
	}
	return ""
}

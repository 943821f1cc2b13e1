package main

import (
	"bufio"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// The quantities of a reading.
const (
	rate        = "tasks a second"
	running     = "tasks a second once they run"
	workerCPU   = "worker CPU, µs a task"
	allocations = "allocations a task"
	redisCPU    = "Redis CPU, µs a task"
	redisUsec   = "Redis usec a task"
	sent        = "commands sent a task"
	inside      = "commands inside scripts a task"
	weight      = "bytes a task"
)

// A meter reads what has been used until now by this process, and by the Redis
// that it works with if it does with one.
type meter struct{ redis *redis.Client }

func newMeter(c call) *meter {
	if c.Redis == "" {
		return &meter{}
	}
	return &meter{redis.NewClient(&redis.Options{Addr: c.Redis})}
}

func (m *meter) close() {
	if m.redis != nil {
		m.redis.Close()
	}
}

// A mark is what a meter read.
type mark struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
	redis   redisUse
}

func (m *meter) read(ctx context.Context) (mark, error) {
	var r mark
	if m.redis != nil {
		info, err := m.redis.Info(ctx, "all").Result()
		if err != nil {
			return r, err
		}
		r.redis = parseInfo(info)
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	r.mallocs = memory.Mallocs
	r.cpu = cpuTime()
	r.at = time.Now()
	return r, nil
}

// cpuTime returns how much CPU time this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costs returns what n tasks cost each between two marks.
func (m *meter) costs(before, after mark, n int) map[string]float64 {
	each := func(x float64) float64 { return x / float64(n) }
	costs := map[string]float64{
		rate:        float64(n) / after.at.Sub(before.at).Seconds(),
		workerCPU:   each(float64((after.cpu - before.cpu).Microseconds())),
		allocations: each(float64(after.mallocs - before.mallocs)),
	}
	if m.redis != nil {
		used := after.redis.since(before.redis)
		costs[redisCPU] = each(used.cpu * 1e6)
		costs[redisUsec] = each(used.usec)
		costs[sent] = each(used.sent)
		costs[inside] = each(used.inside)
	}
	return costs
}

// A redisUse is what a Redis has done since it was started.
type redisUse struct {
	cpu          float64 // seconds
	usec         float64 // in commands that were sent, and so in the scripts
	sent, inside float64 // commands that clients sent, and that scripts called
	memory       float64 // bytes in use
}

func (u redisUse) since(v redisUse) redisUse {
	return redisUse{u.cpu - v.cpu, u.usec - v.usec, u.sent - v.sent, u.inside - v.inside, u.memory - v.memory}
}

// parseInfo reads what INFO all says.
func parseInfo(info string) (u redisUse) {
	lines := bufio.NewScanner(strings.NewReader(info))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		number, _ := strconv.ParseFloat(value, 64) // others are no figures of ours
		switch name {
		case "used_cpu_sys", "used_cpu_user":
			u.cpu += number
		case "used_memory":
			u.memory = number
		}
		command, ok := strings.CutPrefix(name, "cmdstat_")
		if !ok {
			continue
		}
		var calls, usec float64
		fmt.Sscanf(value, "calls=%g,usec=%g,", &calls, &usec) //nolint:errcheck // zeroes show
		if isSent(command) {
			u.sent += calls
			u.usec += usec
		} else {
			u.inside += calls
		}
	}
	return u
}

// isSent reports whether a command comes from clients. INFO counts one that a
// script calls as if a client had sent it, so it is told by its name: these are
// not called by the scripts of asynq or Leat, and hardly any other is sent.
func isSent(command string) bool {
	command, _, _ = strings.Cut(command, "|")
	switch command {
	case "evalsha", "eval", "script", "bzpopmin", "bzmpop", "blpop", "subscribe", "psubscribe", "unsubscribe",
		"hello", "client", "ping", "info", "select", "auth", "command", "memory", "flushall":
		return true
	}
	return false
}

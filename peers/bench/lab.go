package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A lab is where measurements are made: the servers, and how much is done.
type lab struct {
	redis    *redisServer
	postgres *postgresServer // nil if there is none
	missing  string          // why there is none
	dir      string
	files    int     // that were made for SQLite
	effort   float64 // 1 is a full run
}

func openLab(ctx context.Context, effort float64) (*lab, error) {
	dir, err := os.MkdirTemp("", "leat-bench-")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, effort: effort}
	if l.redis, err = startRedis(dir, "--appendonly", "no"); err != nil {
		l.close()
		return nil, err
	}
	l.postgres, err = startPostgres(ctx)
	if errors.Is(err, errNoPostgres) {
		l.missing, err = err.Error(), nil
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// close ends the servers and removes what was stored.
func (l *lab) close() {
	if l.postgres != nil {
		l.postgres.end()
	}
	if l.redis != nil && l.redis.daemon != nil {
		l.redis.stop()
	}
	os.RemoveAll(l.dir)
}

// n returns how many there are to be of what is full many in a full run, and
// at least least.
func (l *lab) n(full, least int) int { return max(int(float64(full)*l.effort), least) }

// d is n for a time.
func (l *lab) d(full, least time.Duration) time.Duration {
	return max(time.Duration(float64(full)*l.effort), least)
}

// settle returns how long a server that was started is left alone before it counts
// as idle.
func (l *lab) settle() time.Duration {
	return min(l.d(10*time.Second, 50*time.Millisecond), 2*time.Second)
}

// has reports whether a system can be measured.
func (l *lab) has(system string) bool { return system != riverPG || l.postgres != nil }

// at returns c, to be made of a system on an empty storage.
func (l *lab) at(ctx context.Context, c call, system string) (call, error) {
	c.System = system
	var err error
	switch system {
	case asynqRedis, leatRedis:
		c.Where, c.Redis = l.redis.url(), l.redis.addr
		err = l.redis.do("FLUSHALL")
	case riverPG:
		c.Where = l.postgres.where()
		err = l.postgres.clear(ctx)
	case leatFile:
		l.files++
		c.Where = filepath.Join(l.dir, fmt.Sprintf("%d.db", l.files))
	case leatMemory:
		c.Where = ":memory:"
	}
	return c, err
}

// ask makes c of a system on an empty storage, in a process of its own.
func (l *lab) ask(ctx context.Context, c call, system string) (reading, error) {
	c, err := l.at(ctx, c, system)
	if err != nil {
		return reading{}, err
	}
	r, err := ask(ctx, c)
	if system == leatFile {
		left, _ := filepath.Glob(c.Where + "*") // the pattern is sound
		for _, file := range left {
			os.Remove(file)
		}
	}
	return r, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// A postgresServer is a PostgreSQL with a cluster of its own, at its defaults, on a
// Unix socket.
type postgresServer struct {
	*daemon
	dir string
}

// errNoPostgres says that River is left out.
var errNoPostgres = errors.New("PostgreSQL is not installed")

// startPostgres makes a cluster and starts its server.
func startPostgres(ctx context.Context) (*postgresServer, error) {
	bin := postgresBin()
	if bin == "" {
		return nil, errNoPostgres
	}
	as, err := postgresUser()
	if err != nil {
		return nil, fmt.Errorf("%w for a user who is not root: %w", errNoPostgres, err)
	}
	dir, err := os.MkdirTemp("", "leat-bench-") // the server's user must be able to get there
	if err != nil {
		return nil, err
	}
	p := &postgresServer{dir: dir}
	if err := p.start(ctx, bin, as); err != nil {
		p.end()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return p, nil
}

func (p *postgresServer) start(ctx context.Context, bin string, as *syscall.Credential) error {
	if as != nil {
		if err := os.Chown(p.dir, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "bench", "-A", "trust", "--no-sync")
	initdb.Dir = p.dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if said, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	var err error
	p.daemon, err = startDaemon(p.dir, as, "INT", filepath.Join(bin, "postgres"), "-D", data, "-k", p.dir, "-c", "listen_addresses=")
	if err != nil {
		return err
	}
	return await(p.dir, func() error { return p.exec(ctx, "SELECT 1") })
}

// end ends the server, and removes what it had.
func (p *postgresServer) end() {
	if p.daemon != nil {
		p.stop()
	}
	os.RemoveAll(p.dir)
}

// where returns how to reach it.
func (p *postgresServer) where() string { return "host=" + p.dir + " user=bench dbname=postgres" }

// clear drops all tables.
func (p *postgresServer) clear(ctx context.Context) error {
	return p.exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
}

func (p *postgresServer) exec(ctx context.Context, sql string) error {
	c, err := pgx.Connect(ctx, p.where())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}

// postgresBin returns the folder of PostgreSQL's programs, where Debian has them
// or where they are on PATH.
func postgresBin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is sound
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// postgresUser returns who runs PostgreSQL, which refuses to be run by root; nil is
// whoever runs the bench.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
}

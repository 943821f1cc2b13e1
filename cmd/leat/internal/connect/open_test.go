package connect_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
)

// opens checks that settings open a storage that answers.
func opens(t *testing.T, environ []string, args ...string) {
	t.Helper()
	s, err := loaded(t, "", environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Open(t.Context(), false)
	if err != nil {
		t.Fatalf("%v: Open() = %v, want a broker", args, err)
	}
	if err := errors.Join(b.Ping(t.Context()), b.Close()); err != nil {
		t.Errorf("%v: %v", args, err)
	}
}

// refuses checks that settings open no storage, and returns why.
func refuses(t *testing.T, args ...string) error {
	t.Helper()
	s, err := loaded(t, "", nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Open(t.Context(), false)
	if err == nil {
		t.Fatalf("%v: Open() = %v, want an error", args, b)
	}
	return err
}

func TestPasswordsAreTold(t *testing.T) {
	const password = `p@:/?#%s"x`
	r := redistest.Start(t, redistest.Options{Password: password})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opens(t, nil, "-u", r.Addr, "-p", password)
	opens(t, nil, "--broker", "redis://"+r.Addr, "--password_file", file)
	opens(t, []string{"LEAT_PASSWORD_FILE=" + file}, "--socket", r.Socket)
	opens(t, []string{"LEAT_URI=" + r.URL()})

	r.Do(t, "ACL", "SETUSER", "ann", "on", ">word", "~*", "&*", "+@all")
	opens(t, nil, "-u", r.Addr, "-U", "ann", "-p", "word")

	err := refuses(t, "-u", r.Addr, "-p", "wrong-secret")
	if !errors.Is(err, connect.ErrUnreachable) || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("a wrong password: %v, want ErrUnreachable without it", err)
	}
	if err := refuses(t, "-u", r.Addr, "--password_file", file+"x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v, want ErrNotExist", err)
	}
}

func TestTLSIsSpokenWithCertificates(t *testing.T) {
	r := redistest.Start(t, redistest.Options{TLS: true, ClientCerts: true})
	dir := filepath.Dir(r.Socket)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ca := cert // the server's certificate is its own authority, and serves as the client's
	opens(t, nil, "-u", r.Addr, "--tls_ca", ca, "--tls_cert", cert, "--tls_key", key)
	opens(t, nil, "--broker", "rediss://"+r.Addr, "--insecure", "--tls_cert", cert, "--tls_key", key)
	for _, args := range [][]string{
		{"-u", r.Addr, "--tls"},
		{"-u", r.Addr, "--tls_ca", ca},
		{"-u", r.Addr, "--tls_ca", ca, "--tls_cert", cert, "--tls_key", key, "--tls_server", "elsewhere"},
	} {
		if err := refuses(t, args...); !errors.Is(err, connect.ErrUnreachable) {
			t.Errorf("%v: %v, want ErrUnreachable", args, err)
		}
	}
}

func TestEveryTopologyIsOpened(t *testing.T) {
	trio := redistest.StartTrio(t, redistest.Options{})
	var sentinels []string
	for _, s := range trio.Sentinels {
		sentinels = append(sentinels, s.Addr)
	}
	opens(t, nil, "--sentinel_addrs", strings.Join(sentinels, ","), "--master", redistest.Master)
	opens(t, nil, "--broker", trio.URL())

	x := redistest.StartCluster(t, redistest.Options{})
	opens(t, nil, "--cluster", "--cluster_addrs", x.Nodes[0].Addr+","+x.Nodes[1].Addr)
	opens(t, nil, "--cluster_addrs", x.Nodes[0].Addr, "--shards", "3", "--prefix", "divided")
}

func TestAnInspectedFileIsNotMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	if err := refuses(t, "--broker", "sqlite:"+path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open() = %v, want ErrNotExist that names it", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat() = %v, want ErrNotExist", err)
	}
	s, err := loaded(t, "", nil, "--broker", "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Open(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	opens(t, nil, "--broker", "sqlite:"+path)
}

func TestWhereNobodyAnswersItIsSaid(t *testing.T) {
	address := freeport.Address(t)
	if err := refuses(t, "-u", address); !errors.Is(err, connect.ErrUnreachable) || !strings.Contains(err.Error(), address) {
		t.Errorf("Open() = %v, want ErrUnreachable that names it", err)
	}
}

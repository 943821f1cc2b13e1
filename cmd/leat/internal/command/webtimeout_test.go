package command_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
)

// TestAPageWaitsAsLongAsTheCommandSays asks for a page for which a storage that is slow
// needs longer than pages wait by themselves.
func TestAPageWaitsAsLongAsTheCommandSays(t *testing.T) {
	for _, c := range []struct {
		timeout string
		status  int
	}{{"0", 200}, {"1m", 200}, {"2s", 504}} {
		for way, environ := range map[string][]string{"flag": nil, "variable": {"LEAT_TIMEOUT=" + c.timeout}} {
			t.Run(c.timeout+"/"+way, func(t *testing.T) {
				t.Parallel()
				url, slow := slowed(t, redistest.Start(t, redistest.Options{}))
				args := []string{"--broker", url}
				if environ == nil {
					args = append(args, "--timeout", c.timeout)
				}
				s := siteOf(t, environ, args...)
				slow.Store(true)
				began := time.Now()
				s.answers("/storage", c.status, "")
				if took := time.Since(began); c.status == 200 && took < 10*time.Second {
					t.Errorf("the page has come after %v: too fast to tell anything", took)
				}
			})
		}
	}
}

// slowed returns a URL under which a server is reached, and what makes each of its answers
// take its time.
func slowed(t *testing.T, r *redistest.Server) (url string, slow *atomic.Bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	slow = new(atomic.Bool)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", r.Addr)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
			go func() { _, _ = io.Copy(near, late{far, slow}); _ = near.Close() }()
		}
	}()
	return "redis://" + l.Addr().String(), slow
}

// late is what is read later than it comes.
type late struct {
	io.Reader

	slow *atomic.Bool
}

func (l late) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	if l.slow.Load() {
		time.Sleep(2500 * time.Millisecond)
	}
	return n, err
}

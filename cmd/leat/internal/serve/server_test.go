package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/cmd/leat/internal/serve"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
)

// running starts a server that ends with the test, or when stop is called, which returns
// what Run has returned.
func running(t *testing.T, s *serve.Server, h http.Handler) (stop func() error) {
	t.Helper()
	s.Logger = slog.New(slog.DiscardHandler)
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, h) }()
	return func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(30 * time.Second):
			return errors.New("Run has not returned for 30 s")
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }

func TestAServerServesAndEnds(t *testing.T) {
	s := &serve.Server{Host: "127.0.0.1"}
	stop := running(t, s, http.HandlerFunc(hello))
	if status, body := get(t, s.URL()); status != 200 || body != "hello" {
		t.Errorf("GET = %d %q, want hello", status, body)
	}
	if err := stop(); err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	if r, err := http.Get(s.URL()); err == nil {
		r.Body.Close()
		t.Error("a server that has ended answers")
	}
}

func TestAPortThatIsInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	err = (&serve.Server{Host: "127.0.0.1", Port: uint16(port)}).Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), strconv.Itoa(port)) || !strings.Contains(err.Error(), "--port") {
		t.Errorf("Listen() = %v, want that the port is in use, and what to do", err)
	}
	err = (&serve.Server{Host: "192.0.2.1"}).Listen(t.Context())
	if !errors.Is(err, syscall.EADDRNOTAVAIL) || !strings.Contains(err.Error(), "no address 192.0.2.1") {
		t.Errorf("Listen() = %v, want that there is no such address", err)
	}
}

func TestAStreamOfEventsEndsWithTheServerAndARequestIsFinished(t *testing.T) {
	s := &serve.Server{Host: "127.0.0.1"}
	began, finish := make(chan bool, 2), make(chan bool)
	stop := running(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- true
		if r.URL.Path == "/work" {
			<-finish
			fmt.Fprint(w, "done, ", r.Context().Err())
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	work := make(chan string, 1)
	go func() {
		_, body := get(t, s.URL()+"/work")
		work <- body
	}()
	<-began
	r, err := http.NewRequest(http.MethodGet, s.URL()+"/live", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	if _, err := io.ReadAll(stream.Body); err != nil { // waits until it ends
		t.Errorf("the stream breaks off: %v", err)
	}
	select {
	case err := <-ended:
		t.Errorf("the server has ended before the request: %v", err)
	default:
	}
	close(finish)
	if body := <-work; body != "done, <nil>" {
		t.Errorf("the request was answered with %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
}

// A slow connection is one whose client does nothing, in a bubble's time.
type slow struct {
	*httptest.ResponseRecorder
	write time.Time
}

func (s *slow) SetWriteDeadline(t time.Time) error { s.write = t; return nil }

func TestClientsHaveTimeForEachPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slow{ResponseRecorder: httptest.NewRecorder()}
		h := serve.Paced(t.Context(), http.HandlerFunc(func(w2 http.ResponseWriter, _ *http.Request) {
			for range 3 { // a stream goes on for as long as it likes
				time.Sleep(10 * time.Minute)
				fmt.Fprint(w2, "x")
				if got := time.Until(w.write); got != 30*time.Second {
					t.Errorf("a part may take %v, want 30s", got)
				}
			}
			time.Sleep(time.Minute)
		}))
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		if got := time.Until(w.write); got != 30*time.Second {
			t.Errorf("the end may take %v, want 30s", got)
		}
	})
}

func TestAClientThatSendsHalfAHeadIsLeft(t *testing.T) {
	t.Parallel()
	s := &serve.Server{Host: "127.0.0.1"}
	stop := running(t, s, http.HandlerFunc(hello))
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after half a head: %v, want the end", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// certificate writes one for this machine, and its key, and returns where.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestHTTPS(t *testing.T) {
	cert, key := certificate(t)
	s := &serve.Server{Host: "127.0.0.1", Cert: cert, Key: key}
	stop := running(t, s, serve.Probes(func(context.Context) error { return nil }))
	roots := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal("no certificate", err)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	r, err := c.Get(s.URL() + serve.LivePath)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	c.CloseIdleConnections()
	check := &serve.Server{Host: "127.0.0.1", Port: portOf(t, s), Cert: cert, Key: key}
	if err := check.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for _, half := range []*serve.Server{{Cert: cert}, {Key: key}} {
		if err := half.Listen(t.Context()); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Listen() with half of what https needs = %v, want it refused", err)
		}
	}
	if err := (&serve.Server{Cert: "none", Key: key}).Listen(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Listen() with a file that is not there = %v", err)
	}
}

func portOf(t *testing.T, s *serve.Server) uint16 {
	t.Helper()
	port, err := strconv.ParseUint(s.URL()[strings.LastIndex(s.URL(), ":")+1:], 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(port)
}

func TestProbes(t *testing.T) {
	var asked atomic.Int32
	var fault atomic.Pointer[error]
	s := &serve.Server{Host: "0.0.0.0"}
	stop := running(t, s, serve.Probes(func(context.Context) error {
		asked.Add(1)
		if e := fault.Load(); e != nil {
			return *e
		}
		return nil
	}))
	for range 50 {
		if status, body := get(t, s.URL()+serve.ReadyPath); status != 200 || body != "ok\n" {
			t.Fatalf("%s = %d %q, want ok", serve.ReadyPath, status, body)
		}
	}
	if n := asked.Load(); n > 20 {
		t.Errorf("for 50 probes, the storage was asked %d times", n)
	}
	secret := errors.New("secret")
	fault.Store(&secret)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		status, body := get(t, s.URL()+serve.ReadyPath)
		if status == 503 && body == "unavailable\n" {
			break
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("%s = %d %q, want 503", serve.ReadyPath, status, body)
		}
	}
	if status, body := get(t, s.URL()+serve.LivePath); status != 200 || body != "ok\n" {
		t.Errorf("%s = %d %q, want ok", serve.LivePath, status, body)
	}
	check := &serve.Server{Port: portOf(t, s)}
	if err := check.Check(t.Context()); err != nil {
		t.Errorf("Check() = %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := check.Check(t.Context()); !errors.Is(err, serve.ErrNotServing) {
		t.Errorf("Check() of nobody = %v", err)
	}
}

func TestCheckOfAnother(t *testing.T) {
	s := &serve.Server{Host: "127.0.0.1"}
	stop := running(t, s, http.NotFoundHandler())
	if err := (&serve.Server{Port: portOf(t, s)}).Check(t.Context()); !errors.Is(err, serve.ErrNotServing) {
		t.Errorf("Check() of another = %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestProfilesAreForAdminsOfThisMachine(t *testing.T) {
	for name, c := range map[string]struct {
		remote, host, path string
		head               [2]string
		role               access.Role
		want               int
	}{
		"from here":         {"127.0.0.1:5", "localhost:80", "goroutine?debug=1", [2]string{}, access.Admin, 200},
		"over IPv6":         {"[::1]:5", "[::1]:80", "heap", [2]string{}, access.Admin, 200},
		"typed":             {"127.0.0.1:5", "localhost:80", "heap", [2]string{"Sec-Fetch-Site", "none"}, access.Admin, 200},
		"followed":          {"127.0.0.1:5", "localhost:80", "heap", [2]string{"Sec-Fetch-Site", "same-origin"}, access.Admin, 200},
		"led to":            {"127.0.0.1:5", "localhost:80", "heap", [2]string{"Sec-Fetch-Site", "cross-site"}, access.Admin, 403},
		"from a neighbour":  {"127.0.0.1:5", "localhost:80", "heap", [2]string{"Sec-Fetch-Site", "same-site"}, access.Admin, 403},
		"from elsewhere":    {"192.0.2.1:5", "localhost:80", "goroutine", [2]string{}, access.Admin, 403},
		"by another name":   {"127.0.0.1:5", "example.com", "goroutine", [2]string{}, access.Admin, 403},
		"from a page":       {"127.0.0.1:5", "localhost", "goroutine", [2]string{"Origin", "http://x"}, access.Admin, 403},
		"by a proxy":        {"127.0.0.1:5", "localhost", "goroutine", [2]string{"X-Forwarded-For", "192.0.2.1"}, access.Admin, 403},
		"by another proxy":  {"127.0.0.1:5", "localhost", "goroutine", [2]string{"X-Real-Ip", "192.0.2.1"}, access.Admin, 403},
		"by a third":        {"127.0.0.1:5", "localhost", "goroutine", [2]string{"Via", "1.1 x"}, access.Admin, 403},
		"by an operator":    {"127.0.0.1:5", "localhost", "goroutine", [2]string{}, access.Operator, 403},
		"by nobody":         {"127.0.0.1:5", "localhost", "goroutine", [2]string{}, access.Nobody, 403},
		"for an hour":       {"127.0.0.1:5", "localhost", "trace?seconds=3600", [2]string{}, access.Admin, 400},
		"for no number":     {"127.0.0.1:5", "localhost", "heap?seconds=NaN", [2]string{}, access.Admin, 400},
		"for a short while": {"127.0.0.1:5", "localhost", "trace?seconds=0.01", [2]string{}, access.Admin, 200},
		"the arguments":     {"127.0.0.1:5", "localhost", "cmdline", [2]string{}, access.Admin, 404},
	} {
		ctx := access.With(t.Context(), access.Identity{Role: c.role})
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, serve.ProfilePath+c.path, http.NoBody)
		r.RemoteAddr, r.Host = c.remote, c.host
		if c.head[0] != "" {
			r.Header.Set(c.head[0], c.head[1])
		}
		w := httptest.NewRecorder()
		serve.Profiles().ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, c.want, bytes.TrimSpace(w.Body.Bytes()))
		}
	}
}

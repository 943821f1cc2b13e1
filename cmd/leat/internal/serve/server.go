package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/leatwork/leat/task"
)

// grace is how long requests may take that are under way when a server is stopped.
const grace = 10 * time.Second

// A Server is where something is to be served.
type Server struct {
	Host      string // "": all interfaces
	Port      uint16 // 0: one that is free
	Cert, Key string // files with a certificate and its key, for https; both or none
	Logger    *slog.Logger

	listener net.Listener
	config   *tls.Config
}

// Listen takes the port. Who comes from now on waits for [Server.Run].
func (s *Server) Listen(ctx context.Context) (err error) {
	if s.Cert != "" || s.Key != "" {
		if s.Cert == "" || s.Key == "" {
			return task.Invalid("--serve-cert", s.Cert, "needs --serve-key, and the other way round")
		}
		pair, err := tls.LoadX509KeyPair(s.Cert, s.Key)
		if err != nil {
			return fmt.Errorf("--serve-cert %s: %w", s.Cert, err)
		}
		s.config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	var l net.ListenConfig
	s.listener, err = l.Listen(ctx, "tcp", net.JoinHostPort(strings.Trim(s.Host, "[]"), strconv.Itoa(int(s.Port))))
	errno, _ := errors.AsType[syscall.Errno](err) // the rest would be taken for a fault of the storage's network
	switch errno {
	case syscall.EADDRINUSE:
		return fmt.Errorf("port %d is in use by another program; take another with --port, or any that is free with --port 0: %w", s.Port, errno)
	case syscall.EADDRNOTAVAIL:
		return fmt.Errorf("this machine has no address %s: %w", s.Host, errno)
	case syscall.EACCES:
		return fmt.Errorf("port %d is not for this user: %w", s.Port, errno)
	}
	return err
}

// URL returns where the server is reached from its own machine.
func (s *Server) URL() string {
	scheme := "http"
	if s.config != nil {
		scheme = "https"
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return scheme + "://" + net.JoinHostPort(own(s.Host), port)
}

// own returns the host by which a server is reached from its own machine.
func own(host string) string {
	host = strings.Trim(host, "[]")
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		return "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		return "::1"
	}
	return host
}

// Run serves h until ctx is done. Then streams of events end at once, and other requests
// have 10 seconds.
func (s *Server) Run(ctx context.Context, h http.Handler) error {
	served := make(chan error, 1)
	server := &http.Server{
		Handler:           paced(ctx, h),
		TLSConfig:         s.config,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug), // of what clients do wrong
	}
	go func() {
		if s.config != nil {
			served <- server.ServeTLS(s.listener, "", "")
			return
		}
		served <- server.Serve(s.listener)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were cut off: %w", err), server.Close())
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve: %w", ended))
	}
	return err
}

// IsLoopback reports whether a server on host is reached from its own machine only.
func IsLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

package prom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// Options are what may be said of how a server is asked. The zero value is good.
type Options struct {
	// Timeout is how long an answer may take. 0: 10 seconds.
	Timeout time.Duration

	// MaxBytes is how large an answer may be. 0: 16 MiB.
	MaxBytes int64

	// Proxy has the proxy used that the environment names, which otherwise is ignored.
	Proxy bool
}

// atOnce is how many queries a server is asked at the same time.
const atOnce = 4

// A Client asks one server. It may be used by several goroutines.
type Client struct {
	ranges  string // URL of the server's API of ranges
	timeout time.Duration
	most    int64
	http    *http.Client
	turns   chan struct{}
}

// New returns a client of the server at an address, such as http://127.0.0.1:9090; it may
// have a path, and a user and a password. Nothing is sent yet. An address that is none is
// refused with a [task.InvalidError], which does not tell it.
func New(address string, o Options) (*Client, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, invalid("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("must begin with http:// or https://")
	case u.Hostname() == "":
		return nil, invalid("names no host")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, invalid("must end with the path")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 16 << 20
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: o.Timeout}).DialContext,
		MaxIdleConnsPerHost: atOnce,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: o.Timeout,
		ForceAttemptHTTP2:   true,
	}
	if o.Proxy {
		transport.Proxy = http.ProxyFromEnvironment
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		ranges:  u.JoinPath("api/v1/query_range").String(),
		timeout: o.Timeout,
		most:    o.MaxBytes,
		http:    &http.Client{Transport: transport, CheckRedirect: stay},
		turns:   make(chan struct{}, atOnce),
	}, nil
}

func invalid(reason string) error { return task.Invalid("prometheus address", "…", reason) }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer returns what the server says of a chart from one time to another, as it says it:
// the body of an answer of its API. No queues means all. An error is an [*Error], or a
// [task.InvalidError] if the range is none.
func (c *Client) Answer(ctx context.Context, chart Chart, from, to time.Time, queues []string) (json.RawMessage, error) {
	if chart.query == "" {
		return nil, task.Invalid("chart", chart.Name, "is not one of ours")
	}
	if !from.Before(to) {
		return nil, task.Invalid("range", from, "must begin before it ends")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	select {
	case c.turns <- struct{}{}:
		defer func() { <-c.turns }()
	case <-ctx.Done():
		return nil, failed(ctx.Err())
	}
	step := Step(to.Sub(from))
	form := url.Values{
		"query": {chart.promQL(queues, step)},
		"start": {from.UTC().Truncate(step).Format(time.RFC3339Nano)}, // the same points at each look
		"end":   {to.UTC().Format(time.RFC3339Nano)},
		"step":  {promDuration(step)},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.ranges, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, failed(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(r)
}

func (c *Client) do(r *http.Request) (json.RawMessage, error) {
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, failed(err)
	}
	defer func() { _ = answer.Body.Close() }() // was only read
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return nil, &Error{Kind: Redirected, Status: answer.StatusCode}
	case answer.StatusCode != http.StatusOK:
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // as much as there is
		return nil, &Error{Kind: Refused, Status: answer.StatusCode, Cause: fmt.Errorf("it says %q", said)}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.most+1))
	switch {
	case err != nil:
		return nil, failed(err)
	case int64(len(body)) > c.most:
		return nil, &Error{Kind: TooLarge}
	case !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) || !json.Valid(body):
		return nil, &Error{Kind: Garbled, Cause: fmt.Errorf("it says %q", body[:min(len(body), 1<<10)])}
	}
	return body, nil
}

// failed returns why there is no answer at all.
func failed(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Kind: Slow, Cause: err}
	}
	return &Error{Kind: Unreachable, Cause: err}
}

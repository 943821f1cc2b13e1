package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take for anything.
const patience = 30 * time.Second

// programs are the names that Chromium goes by.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// onlyLoopback keeps the browser from every other host, named or not.
const onlyLoopback = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]"

var flags = map[string]any{
	"host-resolver-rules":        onlyLoopback,
	"no-proxy-server":            true,
	"no-pings":                   true,
	"disable-component-update":   true,
	"disable-crash-reporter":     true,
	"disable-domain-reliability": true,
	"hide-scrollbars":            true, // their width differs between systems
	"lang":                       "en-GB",
}

// the is the one browser of this process.
var the struct {
	sync.Mutex
	ctx   context.Context
	err   error
	began bool
	ended bool
}

// Main runs the tests of m and returns with which status the process is to exit. The
// browser that they began has ended then. Whoever opens a page calls it in TestMain.
func Main(m *testing.M) int {
	status := m.Run()
	the.Lock()
	defer the.Unlock()
	the.ended = true
	if the.began && the.err == nil {
		ctx, cancel := context.WithTimeout(the.ctx, patience)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil && status == 0 {
			fmt.Println("browsertest: the browser has not ended well:", err)
			return 1
		}
	}
	return status
}

// browser returns the context of the browser, which begins with the first call.
func browser() (context.Context, error) {
	the.Lock()
	defer the.Unlock()
	if the.ended {
		return nil, errors.New("the browser has ended")
	}
	if !the.began {
		the.began = true
		the.ctx, the.err = begin()
	}
	return the.ctx, the.err
}

func begin() (context.Context, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.Env("TZ=UTC"))
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	tooLong := time.AfterFunc(patience, cancel)
	defer tooLong.Stop()
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return ctx, nil
}

func find() (string, error) {
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("the test needs Chromium, found as one of %v", programs)
}

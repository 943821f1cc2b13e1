package browsertest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// A watch hears what happens on a page.
type watch struct {
	origin string

	mu       sync.Mutex
	requests []string
	faults   []string
	expected []string
}

// Requests returns what the page has asked for so far, each as "GET http://host/path".
func (w *watch) Requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// Expect has faults that contain text forgiven. If there is none when the test ends, that
// fails it.
func (w *watch) Expect(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, text)
}

// judge returns the faults that were not expected, and what was expected in vain.
func (w *watch) judge() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var wrong []string
	came := map[string]bool{}
	for _, fault := range w.faults {
		is := func(expected string) bool { return strings.Contains(fault, expected) }
		if i := slices.IndexFunc(w.expected, is); i >= 0 {
			came[w.expected[i]] = true
		} else if !slices.Contains(wrong, fault) {
			wrong = append(wrong, fault)
		}
	}
	for _, expected := range w.expected {
		if !came[expected] {
			wrong = append(wrong, fmt.Sprintf("the page has no fault that says %q", expected))
		}
	}
	return wrong
}

// hear is told each event of the page.
func (w *watch) hear(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.asked(e.Request.Method, e.Request.URL)
	case *network.EventWebSocketCreated:
		w.asked("CONNECT", e.URL)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			w.fault("the browser logs: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.fault("the page logs: %s", spoken(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.fault("an exception is not caught: %s", thrown(e.ExceptionDetails))
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			w.fault("the policy forbids %s of %q", d.ViolatedDirective, d.BlockedURL)
		}
	}
}

func (w *watch) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

// asked notes a request. What is part of the page itself, such as a data URL, is none.
func (w *watch) asked(method, address string) {
	u, err := url.Parse(address)
	if err == nil && slices.Contains([]string{"data", "blob", "about"}, u.Scheme) {
		return
	}
	w.mu.Lock()
	w.requests = append(w.requests, method+" "+address)
	w.mu.Unlock()
	if err != nil || u.Scheme+"://"+u.Host != w.origin {
		w.fault("the page asks another origin: %s %s", method, address)
	}
}

func spoken(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		words = append(words, strings.Trim(string(a.Value), `"`)+a.Description)
	}
	return strings.Join(words, " ")
}

func thrown(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}

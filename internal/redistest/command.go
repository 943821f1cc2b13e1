package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Do sends s a command over its socket and returns the reply as text: a list's
// elements are lines, and nothing is empty. It fails t if s refuses.
func (s *Server) Do(t testing.TB, words ...string) string {
	t.Helper()
	reply, err := s.ask(words...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(words, " "), err)
	}
	return reply
}

// A replyError is what a server says that does not do what it is told.
type replyError string

func (e replyError) Error() string { return string(e) }

func (s *Server) ask(words ...string) (string, error) {
	c, err := net.Dial("unix", s.Socket)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	r := bufio.NewReader(c)
	if s.o.Password != "" {
		if _, err := exchange(c, r, "AUTH", s.o.Password); err != nil {
			return "", err
		}
	}
	return exchange(c, r, words...)
}

func exchange(w io.Writer, r *bufio.Reader, words ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return "", err
	}
	return readReply(r)
}

func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, line := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '-':
		return "", replyError(line)
	case '+', ':':
		return line, nil
	}
	n, err := strconv.Atoi(line)
	if err != nil || n < 0 {
		return "", err
	}
	if kind == '$' {
		text := make([]byte, n+2)
		_, err := io.ReadFull(r, text)
		return string(text[:n]), err
	}
	lines := make([]string, n)
	for i := range lines {
		if lines[i], err = readReply(r); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

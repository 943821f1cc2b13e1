package pages

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/plain"
)

// Of the program's own writers, which may do anything: how long one is waited for, and how
// many may be at work at once.
const (
	writerTime = time.Second
	writerMost = 8
	writerText = 4 << 20
)

// written returns b as the program's own writer writes it, or why it does not. One that
// does not come back keeps its place, so that there are never more than some of them.
func (p *Pages) written(ctx context.Context, write writer, typ string, b []byte) (text, note string) {
	select {
	case p.writers <- struct{}{}:
	default:
		return "", "What formats it is busy."
	}
	ctx, cancel := context.WithTimeout(ctx, writerTime)
	defer cancel()
	type answer struct{ text, note string }
	came := make(chan answer, 1)
	own := bytes.Clone(b)
	go func() {
		var a answer
		defer func() {
			if v := recover(); v != nil {
				a = answer{note: "What formats it has panicked: " + plain.Cut(plain.Name(fmt.Sprint(v)), lineWidth)}
			}
			<-p.writers
			came <- a
		}()
		a.text = write(typ, own)
	}()
	select {
	case a := <-came:
		a.text, _ = cutText(a.text, writerText)
		return plain.Text([]byte(strings.ToValidUTF8(a.text, "\uFFFD"))), a.note
	case <-ctx.Done():
		return "", "What formats it does not answer."
	}
}

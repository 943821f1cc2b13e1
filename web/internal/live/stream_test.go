package live

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoAsksForTheHeadOfAStreamIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(time.Second, time.Second)
		defer h.Close()
		var c counter
		f := follow(t, h, "a", c.render)
		r, w := httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/live", http.NoBody), httptest.NewRecorder()
		answered := make(chan struct{})
		go func() {
			Serve(w, r, f, time.Second, func(err error) string { return err.Error() })
			close(answered)
		}()
		synctest.Wait()
		select {
		case <-answered:
		default:
			t.Error("who asks for the head waits for the stream")
			f.topic.end() // which ends it
		}
		if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("the head tells of %q", got)
		}
		if h.count != 0 {
			t.Error("who asked for the head still follows")
		}
	})
}

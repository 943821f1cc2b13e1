package brokerurl_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

func TestEachFormOpensItsBroker(t *testing.T) {
	for name, url := range map[string]string{
		"memory": "memory:",
		"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "leat.db"),
		"redis":  redistest.Shared(t).URL(),
		"socket": redistest.Shared(t).SocketURL(),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := brokerurl.Open(url)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Ping(t.Context()); err != nil {
				t.Errorf("Ping() = %v, want nil", err)
			}
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
		})
	}
}

func TestWhoOnlyLooksMakesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	if b, err := brokerurl.OpenWith("sqlite:"+path, brokerurl.Options{MustExist: true}); b != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenWith() = %v, %v, want no broker and that there is no file", b, err)
	}
}

func TestWhatCannotBeOpenedIsNoBroker(t *testing.T) {
	for _, url := range []string{"redis-sentinel://localhost", "redis-cluster://localhost/1", "rediss-cluster://localhost?x=y", "redis://localhost/x"} {
		if b, err := brokerurl.Open(url); b != nil || !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Open(%q) = %v, %v, want no broker and ErrInvalid", url, b, err)
		}
	}
}

func TestAnUnknownFormIsRefused(t *testing.T) {
	for _, url := range []string{"", "memory", "memory:x", "sqlite:", "postgres://localhost", "localhost:6379", "redis"} {
		_, err := brokerurl.Open(url)
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), `"`+url+`"`) {
			t.Errorf("Open(%q) = %v, want ErrInvalid that names it", url, err)
		}
	}
}

func TestARefusalDoesNotTellThePassword(t *testing.T) {
	_, err := brokerurl.Open("postgres://ann:secret@localhost/leat")
	if !errors.Is(err, task.ErrInvalid) || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "ann") {
		t.Errorf("Open() = %v, want ErrInvalid without the password", err)
	}
}

package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
)

// TestTheProgramAloneInAnEmptyRoot runs the program as its image does: built without C, in a
// root folder in which there is nothing else, as nobody in particular, with the image's
// environment and the arguments that asynqmon documents.
func TestTheProgramAloneInAnEmptyRoot(t *testing.T) {
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "leat"), "github.com/leatwork/leat/cmd/leat")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d := dockerfile(t)
	alone := func(environ []string, args ...string) *exec.Cmd {
		words := append(words(t, d["ENTRYPOINT"][0]), args...)
		return &exec.Cmd{
			Path: words[0], Args: words, Dir: "/", Env: append(strings.Fields(d["ENV"][0]), environ...),
			SysProcAttr: &syscall.SysProcAttr{Chroot: dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}},
		}
	}
	r := redistest.Start(t, redistest.Options{})
	put(t, r.URL(), "from-outside")
	port := freeport.Port(t)
	s := started(t, alone(nil, "--port="+port, "--redis-addr="+r.Addr))
	s.answers("/queues", 200, "from-outside")
	if status, text := s.post("/deed/queue/pause?queue=from-outside&name=from-outside"); status != 403 {
		t.Errorf("a viewer who pauses a queue is answered with %d: %.500s", status, text)
	}
	if out, err := alone(nil, "--check", "--port="+port).CombinedOutput(); err != nil {
		t.Errorf("--check says %q and ends with %v", out, err)
	}
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if _, err := alone([]string{"PORT=" + port}, "--check").CombinedOutput(); err == nil {
		t.Error("--check finds what has ended")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the root has %v, %v, want the program alone", left, err)
	}
}

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fill writes n text files into a folder: several languages, in subfolders, some
// empty, some with a very long line, and every tenth the same as the one before.
func fill(t *testing.T, folder string, n int, chance *rand.Rand) {
	t.Helper()
	extensions := []string{".go", ".md", ".py", ".sql", ".lua", ".txt", ".rs", ".unknown", ""}
	var content []byte
	for i := range n {
		if i%10 != 9 {
			content = prose(chance)
		}
		name := fmt.Sprintf("part%d/file%03d%s", chance.IntN(7), i, extensions[chance.IntN(len(extensions))])
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// prose returns lines of made-up words.
func prose(chance *rand.Rand) []byte {
	words := strings.Fields("leat mill wheel sluice weir pond grain stone flour sack brook bank Mühle água 水")
	lines := chance.IntN(400)
	if chance.IntN(20) == 0 {
		lines = 0
	}
	var b bytes.Buffer
	for range lines {
		width := chance.IntN(14)
		if chance.IntN(500) == 0 {
			width = 3000
		}
		for range width {
			b.WriteString(words[chance.IntN(len(words))])
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

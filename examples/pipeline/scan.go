package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A File is a text file in the folder.
type File struct {
	Root string
	Path string // within the folder, with slashes
}

// maxSize is the size from which on a file is not looked into.
const maxSize = 16 << 20

// listFiles finds the folder's text files, in the order of their paths. Hidden
// folders, what is fetched from elsewhere and what may not be read are left out,
// and names that are not UTF-8.
func listFiles(ctx context.Context, req Request) ([]File, error) {
	files := []File{}
	err := fs.WalkDir(os.DirFS(req.Folder), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case d != nil && d.IsDir() && errors.Is(err, fs.ErrPermission) && p != ".":
			return fs.SkipDir
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !utf8.ValidString(p): // it could not be handed on
			return skip(d)
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "vendor"):
			return fs.SkipDir
		case !d.Type().IsRegular() || filepath.Join(req.Folder, filepath.FromSlash(p)) == req.Out:
			return nil
		}
		text, err := isText(filepath.Join(req.Folder, filepath.FromSlash(p)))
		if text {
			files = append(files, File{req.Folder, p})
		}
		return err
	})
	return files, err
}

// skip leaves out a file, or all that is in a folder.
func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// isText reports whether a file begins like text, and is not too large.
func isText(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return false, nil
		}
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxSize {
		return false, err
	}
	head := make([]byte, 8000)
	n, _ := f.Read(head) // an empty file is text, too
	return bytes.IndexByte(head[:n], 0) < 0, nil
}

// Facts is what there is to know of one file.
type Facts struct {
	Path     string
	Language string
	Bytes    int
	Lines    int
	Words    int
	Longest  Line
	SHA256   string
}

// A Line is a line of a file.
type Line struct {
	Path   string
	Number int
	Length int // in characters
}

// scanFile looks into one file. A file that has gone since it was listed has no
// lines.
func scanFile(_ context.Context, f File) (Facts, error) {
	facts := Facts{Path: f.Path, Language: language(f.Path)}
	body, err := os.ReadFile(filepath.Join(f.Root, filepath.FromSlash(f.Path)))
	if errors.Is(err, fs.ErrNotExist) {
		return facts, nil
	}
	if err != nil {
		return facts, err
	}
	sum := sha256.Sum256(body)
	facts.Bytes, facts.SHA256 = len(body), hex.EncodeToString(sum[:])
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, maxSize+1)
	for lines.Scan() {
		facts.Lines++
		facts.Words += len(bytes.Fields(lines.Bytes()))
		if n := utf8.RuneCount(lines.Bytes()); n > facts.Longest.Length {
			facts.Longest = Line{f.Path, facts.Lines, n}
		}
	}
	return facts, lines.Err()
}

// language guesses a file's language from its name.
func language(name string) string {
	base := path.Base(name)
	if l, ok := byName[base]; ok {
		return l
	}
	if l, ok := byExtension[strings.ToLower(path.Ext(base))]; ok {
		return l
	}
	return "other"
}

var byName = map[string]string{
	"Makefile": "Make", "Dockerfile": "Docker", "go.mod": "Go module", "go.sum": "Go module", "LICENSE": "text",
}

var byExtension = map[string]string{
	".go": "Go", ".lua": "Lua", ".sql": "SQL", ".md": "Markdown", ".txt": "text", ".proto": "Protobuf",
	".sh": "Shell", ".bash": "Shell", ".py": "Python", ".rb": "Ruby", ".js": "JavaScript", ".mjs": "JavaScript",
	".ts": "TypeScript", ".tsx": "TypeScript", ".jsx": "JavaScript", ".html": "HTML", ".css": "CSS", ".svg": "SVG",
	".json": "JSON", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML", ".xml": "XML", ".csv": "CSV",
	".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".hpp": "C++", ".rs": "Rust", ".java": "Java",
	".kt": "Kotlin", ".swift": "Swift", ".php": "PHP", ".pl": "Perl", ".r": "R", ".scala": "Scala", ".tex": "TeX",
}

package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var static embed.FS

// Prefix is where the assets are, below the root.
const Prefix = "/assets/"

// A file is one of the assets.
type file struct {
	kind           string // of its content
	plain, smaller []byte
}

// A set is all assets, with what their names begin with, which tells their content: a
// script may import another by its plain name.
type set struct {
	version string
	files   map[string]file
}

// all returns the assets.
var all = sync.OnceValue(func() set {
	s := set{files: map[string]file{}}
	sum := sha256.New()
	_ = fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name))
		sum.Write(body)
		s.files[path.Base(name)] = file{kind: kindOf(name), plain: body, smaller: smaller(body)}
		return nil
	})
	s.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return s
})

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func smaller(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	_, _ = z.Write(body)                                  // to memory
	_ = z.Close()
	return b.Bytes()
}

// Path returns where the asset of that name is, below the root.
func Path(name string) string { return Prefix + all().version + "/" + name }

// Serve answers a request for an asset, whose path begins with [Prefix]: it may be kept for
// ever. What is asked for under the name of another version is not there.
func Serve(w http.ResponseWriter, r *http.Request) {
	version, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	f, ok := all().files[name]
	if !ok || version != all().version {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = f.smaller
	}
	_, _ = w.Write(body) // nobody to tell
}

package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

// most is how many bytes all assets may take on their way to a browser.
const most = 100_000

func TestTheAssetsAreSmall(t *testing.T) {
	plain, sent := 0, 0
	for name, f := range all().files {
		if f.kind == "" {
			t.Errorf("%s has no kind", name)
		}
		plain += len(f.plain)
		sent += len(f.smaller)
	}
	t.Logf("%d bytes, %d of them sent", plain, sent)
	if plain > most {
		t.Errorf("the assets are %d bytes (%d sent), want at most %d", plain, sent, most)
	}
}

func TestAnAssetIsServedUnderItsVersionOnly(t *testing.T) {
	get := func(path, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		Serve(w, r)
		return w
	}
	plain, zipped := get(Path("style.css"), ""), get(Path("style.css"), "gzip")
	want := plain.Body.Bytes()
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(z); !bytes.Equal(got, want) || len(got) == 0 {
		t.Errorf("%d bytes when zipped, %d otherwise", len(got), len(want))
	}
	for _, path := range []string{Prefix + "style.css", Prefix + "other/style.css", Path("../assets.go"), Path("nothing.js"), Path("")} {
		if r := get(path, ""); r.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, r.Code)
		}
	}
}

// elsewhere matches what would have a browser ask another host.
var elsewhere = regexp.MustCompile(`https?://|@import|url\(|//[a-z]+\.[a-z]`)

func TestAssetsAskNobodyElse(t *testing.T) {
	for name, f := range all().files {
		if at := elsewhere.Find(bytes.ReplaceAll(f.plain, []byte("http://www.w3.org/2000/svg"), nil)); at != nil {
			t.Errorf("%s has %q in it", name, at)
		}
	}
}

package browsertest

import (
	"context"
	"flag"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screens = flag.String("screens", "", "keep pictures of pages in this directory instead of a temporary one")

// Screenshot takes a picture of what the window shows of the page, and returns the file. It
// is NAME.png in the directory of the -screens flag, otherwise in one that ends with the test.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	return p.picture(name, false)
}

// FullScreenshot is [Page.Screenshot] of the whole page, however long it is.
func (p *Page) FullScreenshot(name string) string {
	p.t.Helper()
	return p.picture(name, true)
}

func (p *Page) picture(name string, whole bool) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	if err != nil {
		p.t.Fatalf("picture of %s: %v", name, err)
	}
	dir, picture := *screens, shot.Data
	if dir == "" {
		dir = p.t.TempDir()
	} else if picture, err = smaller(picture); err != nil {
		p.t.Fatalf("picture of %s: %v", name, err)
	}
	file := filepath.Join(dir, name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
	return file
}

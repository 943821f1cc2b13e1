package browsertest

import (
	_ "github.com/chromedp/cdproto/page" // for what comes
	_ "github.com/chromedp/chromedp"
)

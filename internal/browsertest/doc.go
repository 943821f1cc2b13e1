// Package browsertest looks at pages in a real Chromium.
package browsertest

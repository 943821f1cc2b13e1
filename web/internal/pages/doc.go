// Package pages is the pages of the dashboard. The server renders them whole, so that
// they work without script; what is live on them is rendered again and sent to the
// browser, which puts it in place of what it has.
package pages

// Package audit keeps who did what: it tells a logger, and the broker keeps the latest.
package audit

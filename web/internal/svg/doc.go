// Package svg draws charts as SVG.
package svg

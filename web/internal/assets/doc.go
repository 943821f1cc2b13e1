// Package assets is the style sheet and the scripts of the dashboard, under names that
// change with what is in them.
package assets

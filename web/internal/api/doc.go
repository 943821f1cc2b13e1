// Package api is the JSON API of the dashboard, under /api/v1.
package api

// Package api is the JSON API of the dashboard, under /api/v1.
//
// One table of routes says everything about it: what answers, what the document
// /api/v1/openapi.json has, and what docs/web-api.md lists. What things look like is what
// internal/view says, as the command writes it too.
package api

// Package tracing makes OpenTelemetry spans of what happens to tasks, ticks and runs, across
// all processes that have to do with them. It is the only package that imports OpenTelemetry.
package tracing

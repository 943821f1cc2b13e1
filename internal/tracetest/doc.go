// Package tracetest receives what processes export of their spans, by OTLP over gRPC as
// Jaeger does, so that a test or a program can look at all of them together.
package tracetest

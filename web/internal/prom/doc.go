// Package prom asks a Prometheus server for figures over a range of time.
package prom

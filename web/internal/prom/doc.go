// Package prom asks one Prometheus server for figures over a range of time.
//
// Where the server is, the configuration says, and nobody else: who looks at a chart
// sends its name, a range and names of queues, and never an address, a path or a query.
// No redirect is followed, an answer may take only so long and be only so large, and no
// error tells a viewer where the server is.
package prom

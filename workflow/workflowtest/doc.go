// Package workflowtest is for testing workflows: it carries out their runs in memory,
// stands in for steps, and has workers die at the worst moments.
package workflowtest

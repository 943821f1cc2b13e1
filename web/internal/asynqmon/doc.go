// Package asynqmon answers the addresses of asynqmon's REST API, so that what was
// written for that goes on working.
package asynqmon

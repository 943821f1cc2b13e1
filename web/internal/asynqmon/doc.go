// Package asynqmon answers the addresses of asynqmon's REST API, so that what was
// written for that goes on working. Names, fields and what is answered are asynqmon's;
// docs/web-api.md says where more care is taken.
package asynqmon

// Package yamlfile gives a scheduler the entries of a YAML file, which may change
// while it runs:
//
//	s := periodic.New(client, periodic.Config{Provider: yamlfile.New("periodic.yaml")})
//
// # The file
//
// It has the field "entries", and in it the fields of each entry under its name. They
// are those of a [periodic.Entry]:
//
//	entries:
//	  report:
//	    schedule: 30 2 * * mon-fri        # five fields, six with seconds, @daily or @every 90s
//	    zone: Europe/Berlin               # default: UTC
//	    start: 2026-01-01T00:00:00+01:00  # default: none
//	    end: 2026-12-31T23:59:59+01:00    # default: none
//	    jitter: 30s                       # default: 0s
//	    window: 5m                        # default: 1m
//	    missed: all 10 within 24h         # or once; default: skip
//	    overlap: queue                    # or skip or cancel; default: allow
//	    type: report:make                 # of the tasks
//	    options: [MaxRetry(3), 'Queue("low")', Timeout(10m)]
//	    payload:                          # becomes JSON
//	      format: pdf
//	      pages: [1, 2]
//
//	  close-books:
//	    schedule: "@monthly"
//	    workflow: books                   # instead of type: starts a run with this input
//	    template: |                       # instead of payload: text/template over the tick
//	      {"month": "{{.Time.Format "2006-01"}}"}
//
// A run is started by a task; unless options say so it is in the default queue, not in
// that of the workflow. Options are written as [task.ParseOption] reads them. Aliases
// are read, merge keys are not.
//
// # Faults
//
// A file is taken as a whole or not at all, so that the entries of its last good state
// go on until all faults are mended. Each of these is a [LineError], and all are told at
// once: fields that are unknown or there twice, values that cannot be read, and what
// package periodic refuses. That includes a file without "entries", such as one that is
// being written. Who writes it in place may all the same have a part of it read; put a
// new file in its place by renaming it.
package yamlfile

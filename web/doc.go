// Package web is the dashboard: pages that show what is in a broker and keep themselves
// up to date, everything that an operator may want done, and a JSON API for both.
//
//	h, err := web.New(web.Config{Broker: b})
//	...
//	http.Handle("/", h)
//
// It is an [http.Handler] for a mux of yours. Unless Config says otherwise it serves
// only those who come from this machine.
package web

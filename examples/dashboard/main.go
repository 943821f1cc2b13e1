// Dashboard mounts the dashboard into a program's own mux, behind a password, beside the
// worker whose queue it shows.
//
//	go run ./examples/dashboard     # then open http://localhost:8081/ops/ as ada, with the password that it tells
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web"
	"github.com/leatwork/leat/web/access"
)

func main() {
	url := flag.String("broker", "sqlite::memory:", "where tasks are kept: "+brokerurl.Forms)
	listen := flag.String("listen", "localhost:8081", "where to answer")
	password := flag.String("password", rand.Text(), "of the user ada")
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url, *listen, *password); err != nil {
		log.Fatal(err)
	}
}

// site returns the program's pages, and the dashboard among them.
func site(b broker.Broker, password string) (http.Handler, *web.Handler, error) {
	users, err := access.Basic(access.User{Name: "ada", Password: password, Role: access.Admin})
	if err != nil {
		return nil, nil, err
	}
	dashboard, err := web.New(web.Config{Broker: b, Root: "/ops", Name: "example", Authoriser: users, Mask: []string{"card.number"}})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/ops/", dashboard)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the shop's own page") })
	return mux, dashboard, nil
}

// run works, and answers until ctx ends.
func run(ctx context.Context, url, listen, password string) error {
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()
	pages, dashboard, err := site(b, password)
	if err != nil {
		return err
	}
	defer dashboard.Close()
	server := &http.Server{Addr: listen, Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	worker, err := queue.NewServer(b, queue.Config{Concurrency: 4})
	if err != nil {
		return err
	}
	mux := task.NewMux()
	mux.HandleFunc("charge", func(context.Context, *task.Task) error { return errors.New("the bank does not answer") })
	if _, err := queue.NewClient(b).Enqueue(ctx, task.New("charge", []byte(`{"order":17,"card":{"number":"4111"}}`))); err != nil {
		return err
	}
	log.Printf("http://%s/ops/ is for ada, with the password %s", listen, password)
	context.AfterFunc(ctx, func() { _ = dashboard.Close(); _ = server.Shutdown(context.Background()) })
	go func() { _ = server.ListenAndServe() }()
	return worker.Run(ctx, mux)
}

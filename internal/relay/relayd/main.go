// Command relayd runs a relay of package relay in front of an issuer:
//
//	go run ./internal/relay/relayd -issuer http://127.0.0.1:8080 -row "holds the body of the stream back"
//
// It prints its address on the first line. GET /relay/counts says how many requests for the
// feed it has received.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	"issuer.example/internal/relay"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "relayd:", err)
		os.Exit(1) //nolint:gocritic // the context ends with the process
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("relayd", flag.ContinueOnError)
	issuer := flags.String("issuer", "", "where the issuer is")
	name := flags.String("row", "", "the row of the table")
	path := flags.String("table", "testdata/relays.json", "the table")
	listen := flags.String("listen", "127.0.0.1:0", "the address to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	table, err := relay.Load(*path)
	if err != nil {
		return err
	}
	row, found := table.Row(*name)
	if !found {
		return fmt.Errorf("the table has no row %q", *name)
	}
	to, err := url.Parse(*issuer)
	if err != nil || to.Host == "" {
		return errors.New("-issuer must be a URL")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: relay.New(row, to, &http.Transport{}), ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	fmt.Fprintf(stdout, "http://%s\n", listener.Addr())
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

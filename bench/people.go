package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
)

const (
	people    = 50          // who look at the pages at a time
	eachLooks = time.Second // from one page of a person to the next
)

// looked are the pages that they go through, one after the other.
func looked() []string {
	return []string{"/", "/t/acme/", "/t/acme/mails", "/t/acme/problems", "/t/acme/accounts", "/t/acme/mails?state=failed"}
}

// beside compares a draining worker alone with the same while people look at the
// pages, which have a process of their own.
func (e *environment) beside(ctx context.Context) error {
	c := course{mails: e.mails, connections: e.connections, server: e.sink}
	if err := e.writeAccounts(c); err != nil {
		return err
	}
	link, err := e.startChild("pages", e.config.Redis.URL, string(e.config.Accounts.File))
	if err != nil {
		return err
	}
	var seen []time.Duration
	watched := func(ctx context.Context, c course) (time.Duration, error) {
		looking, stop := context.WithCancel(ctx)
		defer stop()
		answers := make(chan looks, 1)
		go func() { answers <- look(looking, link) }()
		took, err := e.drain(ctx, c)
		stop()
		a := <-answers
		seen = append(seen, a.took...)
		return took, errors.Join(err, a.err)
	}
	err = e.compare(ctx, "people on the pages", c,
		way{name: "nobody", reference: "nobody", run: e.drain}, way{name: fmt.Sprintf("%d people, a page each %v", people, eachLooks), run: watched})
	if err != nil {
		return err
	}
	slices.Sort(seen)
	fmt.Printf("  %d pages: p50 %v, p99 %v\n\n", len(seen), percentile(seen, 50).Round(100*time.Microsecond), percentile(seen, 99).Round(100*time.Microsecond))
	e.figures.latency("people on the pages: a page, p50", percentile(seen, 50))
	e.figures.latency("people on the pages: a page, p99", percentile(seen, 99))
	return nil
}

// looks are how long pages took, and why one did not come.
type looks struct {
	took []time.Duration
	err  error
}

// look lets people look at the pages until ctx ends.
func look(ctx context.Context, link string) looks {
	var mu sync.Mutex
	var all looks
	var group sync.WaitGroup
	for n := range people {
		group.Go(func() {
			took, err := person(ctx, link, n)
			mu.Lock()
			defer mu.Unlock()
			all.took, all.err = append(all.took, took...), errors.Join(all.err, err)
		})
	}
	group.Wait()
	return all
}

// person comes in by the link and looks at one page after the other. The n-th one
// begins the n-th part of a second later.
func person(ctx context.Context, link string, n int) (took []time.Duration, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, Transport: &http.Transport{}}
	defer browser.CloseIdleConnections()
	next := time.NewTimer(time.Duration(n) * eachLooks / people)
	defer next.Stop()
	address := link
	for at := n; ; at++ {
		select {
		case <-ctx.Done():
			return took, nil
		case <-next.C:
		}
		next.Reset(eachLooks)
		begun := time.Now()
		err := open(ctx, browser, address)
		switch {
		case ctx.Err() != nil:
			return took, nil
		case err != nil:
			return took, err
		case address != link: // coming in is not a look
			took = append(took, time.Since(begun))
		}
		to, err := url.Parse(link)
		if err != nil {
			return took, err
		}
		page, err := to.Parse(looked()[at%len(looked())])
		if err != nil {
			return took, err
		}
		address = page.String()
	}
}

// open reads a page to its end.
func open(ctx context.Context, browser *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := browser.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", request.URL.Path, answer.Status)
	}
	return nil
}

// servePages is the process of the pages. It prints the link to them, and ends with
// its standard input.
func servePages(redisURL, accounts string) error {
	config := configs.Default()
	config.Redis.URL, config.Accounts.File, config.Web.Addr = redisURL, configs.Path(accounts), "127.0.0.1:0"
	a, err := app.New(app.Options{
		Config: config, Roles: app.Roles{Web: true}, Version: "bench", Logger: zerolog.New(os.Stderr).Level(zerolog.ErrorLevel),
	})
	if err != nil {
		return err
	}
	if err := a.Start(context.Background()); err != nil {
		return err
	}
	fmt.Println(a.Link("/"))
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, a.Stop())
}

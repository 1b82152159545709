package main

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// delay is a way to an address, "host:port" or "unix:/path", that takes so long in
// each direction. It loses nothing and is as wide as one likes: what is sent without
// waiting for answers arrives together.
func delay(l net.Listener, to, each string) error {
	oneWay, err := time.ParseDuration(each)
	if err != nil {
		return fmt.Errorf("delay: %w", err)
	}
	const most = 256 // that sleep at a time
	runtime.GOMAXPROCS(most)
	network := "tcp"
	if path, ok := strings.CutPrefix(to, "unix:"); ok {
		network, to = "unix", path
	}
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = client.Close() }()
			// The client is connected already. The server learns of it as late as by a
			// handshake: SYN, SYN-ACK and ACK have taken the way once each.
			sleep(3 * oneWay)
			server, err := net.Dial(network, to)
			if err != nil {
				return
			}
			defer func() { _ = server.Close() }()
			back := make(chan struct{})
			go func() { defer close(back); relay(client, server, oneWay) }()
			relay(server, client, oneWay)
			<-back
		}()
	}
}

// A piece is what has come, and when it is to go on.
type piece struct {
	due   time.Time
	bytes []byte
}

// relay passes on what comes, oneWay later, until its end, which it passes on too.
func relay(to, from net.Conn, oneWay time.Duration) {
	const size, held = 32 << 10, 4096
	pieces := make(chan piece, held)
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, size)
			n, err := from.Read(b)
			if n > 0 {
				pieces <- piece{time.Now().Add(oneWay), b[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		sleep(time.Until(p.due))
		if _, err := to.Write(p.bytes); err != nil {
			_ = from.Close() // the reader above ends
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// sleep is time.Sleep to some microseconds: that waits in whole milliseconds.
func sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	left := unix.NsecToTimeval(d.Nanoseconds())
	_, _ = unix.Select(0, nil, nil, nil, &left) // a signal ends it early
}

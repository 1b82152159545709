package attack

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestL1Echo: a server repeats the password it was told, in replies that are split,
// malformed, or written otherwise. It is in no log, status, error log or page.
func TestL1Echo(t *testing.T) {
	t.Parallel()
	const password = "canary-hunter2-leak"
	echoes := echoesOf(password)
	port := echoServer(t, echoes)
	s := newSite(t, "worker: {concurrency: 10}\nlog: {level: trace}\nerrorlog: {show_recipients: true}\nretry: {first: 1h}\n")
	var accounts strings.Builder
	accounts.WriteString("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: 1, encryption: none}}\ntenants:\n")
	for n := range echoes { // an account each: what one meets stops no other
		_, _ = fmt.Fprintf(&accounts, "  t%d: {account: {address: info@t%d.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, username: u%d, password: %s, allow_plaintext_login: true}}}\n", n, n, port, n, password)
	}
	s.write("accounts.yaml", accounts.String())
	serve := s.start("serve")
	p, err := producer.Open(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	texts := map[string]string{}
	for n := range echoes {
		if _, err := p.Send(t.Context(), rohrpost.Message{
			ID: fmt.Sprintf("mail-%d", n), Tenant: fmt.Sprintf("t%d", n), Subject: "x", Text: "x", To: []rohrpost.Address{{Address: "kunde@example.org"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for n := range echoes {
		waitFor(t, fmt.Sprintf("mail %d was tried: %q", n, echoes[n].reply), func() bool {
			st, err := p.Status(t.Context(), fmt.Sprintf("mail-%d", n))
			return err == nil && (len(st.History) > 0 || st.State.Final())
		})
	}
	out, problem, _ := s.try("", "account", "doctor", "--tenant", "t0")
	texts["doctor"] = out + problem
	out, problem, _ = s.try("", "account", "test", "--tenant", "t1", "--to", "info@t1.example")
	texts["test mail"] = out + problem
	texts["error log"] = s.run("", "errors", "export", "--format", "jsonl")
	for n := range echoes {
		out, problem, _ := s.try("", "status", fmt.Sprintf("mail-%d", n))
		texts[fmt.Sprintf("status %d", n)] = out + problem
	}
	for subject, notice := range s.redis.Client(t).HGetAll(t.Context(), "rohrpost:breaker:states").Val() {
		texts["notice of "+subject] = notice
	}
	texts["process log"] = serve.said.String()
	for where, text := range texts {
		flat := strings.ToLower(text)
		for _, canary := range canariesOf(password) {
			if at := strings.Index(flat, strings.ToLower(canary)); at >= 0 {
				t.Errorf("%s: %q in …%s…", where, canary, text[max(0, at-150):min(len(text), at+100)])
			}
		}
	}
	if len(texts["error log"]) < 1000 {
		t.Errorf("there is not much in the error log: %s", texts["error log"])
	}
}

// canariesOf are the writings of the password that must be nowhere, and its longer
// halves.
func canariesOf(password string) []string {
	n := len(password)
	return []string{
		password, password[:n*2/3], password[n/3:], fmt.Sprintf("%x", password),
		base64.RawStdEncoding.EncodeToString([]byte(password)), strings.ReplaceAll(password, "-", "%2d"),
	}
}

// An echo is what the server says at a step.
type echo struct{ step, reply string }

func echoesOf(password string) []echo {
	b64 := base64.StdEncoding.EncodeToString
	var replies []string
	for at := 1; at < len(password); at += 5 {
		first, second := password[:at], password[at:]
		replies = append(
			replies,
			"535-5.7.8 bad "+first+"\r\n535 5.7.8 "+second,
			"535-"+first+"\r\n550 "+second,
			"535-"+first+"\r\n"+second,
			"250-"+first+"\r\n-"+second,
		)
	}
	replies = append(
		replies,
		"535 "+password, "535"+password, password, strings.Repeat("x", 70)+password, "535 "+strings.ToUpper(password),
		"535 "+b64([]byte("\x00u\x00"+password)), "535 "+b64([]byte("u\x00u\x00"+password)), fmt.Sprintf("535 %x", password),
		"535 "+strings.ReplaceAll(password, "-", "%2D"), "535 "+strings.Repeat("y", 490)+password, "535 "+strings.Repeat("z", 1990)+password,
		"535 5.7."+password, "299 "+password, "354 "+password,
	)
	var out []echo
	for n, reply := range replies {
		out = append(out, echo{[...]string{"BANNER", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "DOT"}[n%7], reply})
		if n%7 < 2 {
			out = append(out, echo{"AUTH", reply})
		}
	}
	return out
}

// echoServer knows the password before anybody has told it, and says the n-th echo on
// behalf of the user un; at the greeting, to whoever comes n-th.
func echoServer(t *testing.T, echoes []echo) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var greetings, hellos []string
	for _, e := range echoes {
		switch e.step {
		case "BANNER":
			greetings = append(greetings, e.reply)
		case "EHLO":
			hellos = append(hellos, e.reply)
		}
	}
	var sessions atomic.Int64
	serve := func(c net.Conn) {
		defer func() { _ = c.Close() }()
		session := int(sessions.Add(1)) - 1
		say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
		if session%8 == 6 {
			say(greetings[session/8%len(greetings)])
			return
		}
		say("220 echo")
		in, mine := bufio.NewScanner(c), echo{}
		at := func(step, usual string) {
			if mine.step == step {
				usual = mine.reply
			}
			say(usual)
		}
		for in.Scan() {
			verb, rest, _ := strings.Cut(in.Text(), " ")
			switch verb {
			case "EHLO":
				if session%8 == 7 {
					say(hellos[session/8%len(hellos)])
					return
				}
				say("250-echo\r\n250 AUTH PLAIN")
			case "AUTH":
				response, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
				var n int
				if parts := strings.Split(string(response), "\x00"); len(parts) == 3 {
					_, _ = fmt.Sscanf(parts[1], "u%d", &n)
				}
				mine = echoes[n]
				at("AUTH", "235 ok")
			case "MAIL", "RCPT":
				at(verb, "250 ok")
			case "DATA":
				if mine.step == "DATA" {
					say(mine.reply)
					continue
				}
				say("354 go on")
				for more := true; more; {
					more = in.Scan() && in.Text() != "."
				}
				at("DOT", "250 ok")
			default:
				say("250 ok")
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

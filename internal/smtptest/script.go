package smtptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Stage is a point of a session at which the server answers.
type Stage string

// The stages. RCPT stands for every recipient, [Recipient] for one.
const (
	Banner   Stage = "BANNER"
	EHLO     Stage = "EHLO"
	HELO     Stage = "HELO"
	STARTTLS Stage = "STARTTLS"
	AUTH     Stage = "AUTH"
	MAIL     Stage = "MAIL"
	RCPT     Stage = "RCPT"
	DATA     Stage = "DATA" // the command
	Body     Stage = "BODY" // the first line of the mail has come: any answer ends the session
	Dot      Stage = "DOT"  // the whole mail has come
	RSET     Stage = "RSET"
	NOOP     Stage = "NOOP"
	QUIT     Stage = "QUIT"
)

// Recipient is the stage RCPT for one address. It goes before RCPT itself.
func Recipient(address string) Stage { return RCPT + " " + Stage(address) }

// An Answer is what the server does at a stage. The zero value is the server's
// usual answer. A positive reply has its usual effect: a recipient answered
// with 251 is a recipient.
type Answer struct {
	raw    string
	cut    bool
	reset  bool
	silent bool
	take   bool
	do     func()
}

// Reply answers with a code of three digits and one line of text or several.
func Reply(code int, line string, more ...string) Answer {
	lines := append([]string{line}, more...)
	var b strings.Builder
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		fmt.Fprintf(&b, "%03d%s%s\r\n", code, separator, line)
	}
	return Answer{raw: b.String()}
}

// Raw answers with these bytes. Their first three digits count as the code.
func Raw(bytes string) Answer { return Answer{raw: bytes} }

// Cut closes the connection.
func Cut() Answer { return Answer{cut: true} }

// Reset closes the connection so that the client sees a reset, not an end.
func Reset() Answer { return Answer{cut: true, reset: true} }

// Silence never answers.
func Silence() Answer { return Answer{silent: true} }

// ThenCut closes the connection after the reply.
func (a Answer) ThenCut() Answer { a.cut = true; return a }

// Taking keeps the mail, whatever the client is told. Only for Dot.
func (a Answer) Taking() Answer { a.take = true; return a }

// Doing calls f before the answer is given, without any lock held.
func (a Answer) Doing(f func()) Answer { a.do = f; return a }

// usual reports that the answer leaves the reply to the server.
func (a Answer) usual() bool { return a.raw == "" && !a.cut && !a.silent }

func code(raw string) int {
	if len(raw) < 3 {
		return 0
	}
	n, err := strconv.Atoi(raw[:3])
	if err != nil {
		return 0
	}
	return n
}

// On gives this answer at the stage from now on. The zero Answer is the usual
// one again.
func (s *Server) On(stage Stage, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always[stage] = a
}

// Once gives these answers at the next visits of the stage, one each, before
// what On says.
func (s *Server) Once(stage Stage, answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once[stage] = append(s.once[stage], answers...)
}

// visit counts a visit of the first stage and picks the answer of the last one
// that has any: the later, the more special.
func (s *Server) visit(stages ...Stage) Answer {
	a := s.pick(stages)
	if a.do != nil {
		a.do()
	}
	return a
}

func (s *Server) pick(stages []Stage) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits[stages[0]]++
	for _, stage := range slices.Backward(stages) {
		if queue := s.once[stage]; len(queue) > 0 {
			s.once[stage] = queue[1:]
			return queue[0]
		}
		if a, ok := s.always[stage]; ok {
			return a
		}
	}
	return Answer{}
}

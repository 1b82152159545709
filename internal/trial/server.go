package trial

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const (
	// lease is how long a worker may say nothing before it counts as ended.
	lease = 10 * time.Second
	// beat is how often it says something, and looks for requests.
	beat = time.Second
	// margin is what is left of a client's patience for the way back.
	margin = 2 * time.Second
	// keepAnswer is how long an answer waits for a client that has gone.
	keepAnswer = time.Minute
)

// A Trier tries accounts; *accounts.Service does it.
type Trier interface {
	TestMail(ctx context.Context, t accounts.Try) (accounts.Result, error)
	Examine(ctx context.Context, t accounts.Try) (doctor.Report, error)
	ReleaseBy(ctx context.Context, who redisstore.Actor, p resolver.Place) error
}

// ServerOptions are what a Server needs: Redis, Box and Accounts.
type ServerOptions struct {
	Redis    redis.UniversalClient
	Box      *seal.Box // opens what clients have sealed
	Accounts Trier
	AtATime  int // requests; 0: 2
	Logger   zerolog.Logger
}

// A Server tries accounts for clients.
type Server struct {
	options ServerOptions
	ended   chan string // ids
}

// NewServer checks the options; it does no I/O.
func NewServer(o ServerOptions) (*Server, error) {
	if o.Redis == nil || o.Box == nil || o.Accounts == nil || o.AtATime < 0 {
		return nil, errors.New("trial: redis, box and accounts are required")
	}
	o.AtATime = cmp.Or(o.AtATime, 2)
	return &Server{options: o, ended: make(chan string, o.AtATime)}, nil
}

// Run tries what clients ask for until ctx ends. What is under way then is
// interrupted, and answered.
func (s *Server) Run(ctx context.Context) {
	news := s.options.Redis.Subscribe(ctx, channel)
	defer func() { _ = news.Close() }()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	var work sync.WaitGroup
	defer work.Wait()
	running := map[string]bool{}
	for {
		taken, err := s.take(ctx, running)
		if err != nil && ctx.Err() == nil {
			s.options.Logger.Debug().Err(err).Msg("whether an account is to be tried is not known; soon again")
		}
		for _, id := range taken {
			running[id] = true
			work.Go(func() {
				defer func() { s.ended <- id }()
				s.serve(ctx, id)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-news.Channel():
		case <-tick.C:
		case id := <-s.ended:
			delete(running, id)
		}
	}
}

// take renews the leases of what is running, and takes what there are hands for.
func (s *Server) take(ctx context.Context, running map[string]bool) ([]string, error) {
	args := []any{lease.Milliseconds(), s.options.AtATime - len(running)}
	for id := range running {
		args = append(args, id)
	}
	return takeScript.Run(ctx, s.options.Redis, []string{waitingKey, runningKey, workersKey}, args...).StringSlice()
}

// An answer is what a client gets: any number with a step each, then the last one.
type answer struct {
	Step    *doctor.Step    `json:"step,omitempty"`
	Problem *problem        `json:"problem,omitempty"`
	Result  accounts.Result `json:"result"`
	Report  doctor.Report   `json:"report"`

	id string // of the request
}

// serve tries one request, if it is still there, and answers.
func (s *Server) serve(ctx context.Context, id string) {
	var left *redis.DurationCmd
	var text *redis.StringCmd
	_, err := s.options.Redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		left, text = pipe.PTTL(ctx, requestKey(id)), pipe.GetDel(ctx, requestKey(id))
		return nil
	})
	if err != nil {
		if !errors.Is(err, redis.Nil) { // else the client has given up
			s.options.Logger.Warn().Err(err).Msg("an account was not tried: the request could not be read")
		}
		return
	}
	trying, cancel := context.WithTimeout(ctx, left.Val()-margin)
	defer cancel()
	reply, err := json.Marshal(s.try(trying, id, text.Val()))
	if err == nil {
		_, err = s.options.Redis.TxPipelined(context.WithoutCancel(ctx), func(pipe redis.Pipeliner) error {
			pipe.RPush(ctx, answerKey(id), reply)
			pipe.PExpire(ctx, answerKey(id), keepAnswer)
			pipe.ZRem(ctx, runningKey, id)
			return nil
		})
	}
	if err != nil {
		s.options.Logger.Warn().Err(err).Msg("an account was tried, but whoever asked gets no answer")
	}
}

// try does what the text asks for, and logs that it did. What the client must not be
// told of an error stands in the log alone.
func (s *Server) try(ctx context.Context, id, text string) answer {
	start, level := time.Now(), zerolog.InfoLevel
	k, t, err := decode(text, s.options.Box)
	var a answer
	if err == nil {
		if t.Seen != nil {
			t.Seen = func(step doctor.Step) { s.tell(ctx, id, step) }
		}
		a, err = s.do(ctx, k, t)
	}
	if err != nil {
		p, unknown := problemOf(err)
		if a.Problem = &p; unknown || errors.Is(p.err(), ErrWrongKey) {
			level = zerolog.WarnLevel
		}
	}
	s.options.Logger.WithLevel(level).Err(err).Str("account", t.Place.String()).Str("user", t.Who.Name).Str("kind", string(k)).
		Dur("took_ms", time.Since(start)).Msg("an account was tried for the web part")
	return a
}

// tell sends a step to the client. One that is lost stands in the answer all the same.
func (s *Server) tell(ctx context.Context, id string, step doctor.Step) {
	text, err := json.Marshal(answer{Step: &step})
	if err == nil {
		_, err = s.options.Redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.RPush(ctx, answerKey(id), text)
			pipe.PExpire(ctx, answerKey(id), keepAnswer)
			return nil
		})
	}
	if err != nil {
		s.options.Logger.Debug().Err(err).Msg("a step of a test was not told")
	}
}

func (s *Server) do(ctx context.Context, k kind, t accounts.Try) (a answer, err error) {
	defer func() {
		if cause := recover(); cause != nil { // it must not take the mails of this worker with it
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	switch k {
	case testMail:
		a.Result, err = s.options.Accounts.TestMail(ctx, t)
	case examination:
		a.Report, err = s.options.Accounts.Examine(ctx, t)
	case release:
		err = s.options.Accounts.ReleaseBy(ctx, t.Who, t.Place)
	default:
		err = fmt.Errorf("trial: the web part asks for %q, which this worker does not know", k)
	}
	return a, err
}

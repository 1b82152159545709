package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// Idle is how long a session lives after its last use.
	Idle = 8 * time.Hour
	// Longest is how long it lives after its beginning, however much it is used.
	Longest = 7 * 24 * time.Hour
	// patience is how long Redis may take to answer.
	patience = 2 * time.Second
)

// ErrNone says that there is no such session, or none any more.
var ErrNone = errors.New("no such session")

// A Session is somebody who has signed in with one browser.
type Session struct {
	Way      string    `json:"way"`              // how they came in; the pages know the ways
	Issuer   string    `json:"issuer,omitempty"` // that has sent them, if somebody has
	Name     string    `json:"name"`             // what they sign in by; with Way and Issuer it is one person
	Called   string    `json:"called,omitempty"` // the name of the human being
	Role     string    `json:"role"`
	Tenant   string    `json:"tenant,omitempty"`
	User     string    `json:"user,omitempty"`
	Address  string    `json:"address,omitempty"`
	Language string    `json:"language,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Return   string    `json:"return,omitempty"` // where "back" leads
	Proof    string    `json:"proof,omitempty"`  // a hash of what let them in; when that changes, they are out
	Began    time.Time `json:"began"`
}

func (s Session) person() string { return s.Way + "\x00" + s.Issuer + "\x00" + s.Name }

// A Store has the sessions.
type Store struct {
	redis redis.UniversalClient
	now   func() time.Time
}

// New makes a store. now is the clock.
func New(rdb redis.UniversalClient, now func() time.Time) *Store { return &Store{rdb, now} }

// Begin keeps a session under a new id of 130 random bits. Began is set.
func (s *Store) Begin(ctx context.Context, session Session) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id, session.Began = rand.Text(), s.now().UTC()
	value, err := json.Marshal(session)
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	of := ofKey(session.person())
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRemRangeByScore(ctx, of, "-inf", strconv.FormatInt(s.now().Unix(), 10))
		p.ZAdd(ctx, of, redis.Z{Score: float64(s.now().Add(Longest).Unix()), Member: key(id)})
		p.Expire(ctx, of, Longest)
		p.Set(ctx, key(id), value, Idle)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	return id, nil
}

// Get is the session of an id, which lives on for Idle. The error is ErrNone, or that of
// Redis.
func (s *Store) Get(ctx context.Context, id string) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value, err := s.redis.GetEx(ctx, key(id), Idle).Bytes()
	if errors.Is(err, redis.Nil) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", err)
	}
	var session Session
	if err := json.Unmarshal(value, &session); err != nil {
		return Session{}, ErrNone // of a version that writes otherwise: sign in again
	}
	if s.now().Sub(session.Began) >= Longest {
		return Session{}, ErrNone
	}
	return session, nil
}

// End ends one session.
func (s *Store) End(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, key(id))
		p.Del(ctx, keptKey(key(id))) // one by one: in a Cluster they lie apart
		return nil
	})
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// EndAll ends all sessions of the person whose one is given.
func (s *Store) EndAll(ctx context.Context, session Session) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	of := ofKey(session.person())
	keys, err := s.redis.ZRange(ctx, of, 0, -1).Result()
	if err == nil {
		_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, k := range keys { // one by one: in a Cluster they lie apart
				p.Del(ctx, k)
				p.Del(ctx, keptKey(k))
				p.ZRem(ctx, of, k)
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

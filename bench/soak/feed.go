package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// pendingMost is how many mails may wait for the worker.
const pendingMost = 2000

// feed sends through one account after the other, at the rate, until the context ends.
func (s *site) feed(ctx context.Context) error {
	const perSecond = 10 // batches
	text := strings.Repeat("Sehr geehrte Damen und Herren, anbei erhalten Sie Ihre Rechnung.\r\n", 15)
	batch := max(1, s.settings.rate/perSecond)
	tick := time.NewTicker(time.Second * time.Duration(batch) / time.Duration(s.settings.rate))
	defer tick.Stop()
	churn := newChurn(s)
	next := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		pending, err := s.pending(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("pending mails: %w", err)
		}
		if pending > pendingMost {
			continue
		}
		messages := make([]rohrpost.Message, batch)
		for i := range messages {
			n := next % s.settings.accounts
			next++
			messages[i] = rohrpost.Message{
				Tenant: account{n, s.generations[n]}.tenant(),
				To:     []rohrpost.Address{{Address: fmt.Sprintf("kunde%d@example.org", next)}}, Subject: "Ihre Rechnung", Text: text,
			}
		}
		if _, err := s.mail.SendBatch(ctx, messages); err != nil && ctx.Err() == nil {
			return fmt.Errorf("send: %w", err)
		}
		if err := churn.next(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("replace an account: %w", err)
		}
	}
}

// pending is how many mails wait for a worker that is free.
func (s *site) pending(ctx context.Context) (int64, error) {
	return s.redis.LLen(ctx, queue.Key(string(rohrpost.Default), "pending")).Result()
}

// churn replaces accounts that never work, one after the other.
type churn struct {
	site  *site
	begin time.Time
	done  int // how many were replaced
}

func newChurn(s *site) *churn { return &churn{site: s, begin: time.Now()} }

// next replaces as many as are due.
func (c *churn) next(ctx context.Context) error {
	s := c.site.settings
	for due := int(time.Since(c.begin).Minutes() * float64(s.churn)); c.done < due; c.done++ {
		if err := c.site.replace(ctx, c.done*tenth%s.accounts); err != nil {
			return err
		}
	}
	return nil
}

package queue

import (
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// TaskType is the asynq type of every mail.
const TaskType = "mail"

const (
	// TaskTimeout is after how long asynq gives an attempt up. It does not stop
	// the handler, so the worker's own budget must be, and is, shorter.
	TaskTimeout = 30 * time.Minute

	// maxRetry is out of reach: rohrpost counts attempts and age itself, since
	// asynq archives a deferred task at its limit.
	maxRetry = 1000
)

// Weights are the three queues and how often each is served.
func Weights() map[string]int {
	return map[string]int{string(rohrpost.Critical): 6, string(rohrpost.Default): 3, string(rohrpost.Bulk): 1}
}

// Names are the three queues in their order.
func Names() []string {
	return []string{string(rohrpost.Critical), string(rohrpost.Default), string(rohrpost.Bulk)}
}

// Name is the queue of a priority; the empty one is Default.
func Name(p rohrpost.Priority) string {
	if p == "" {
		p = rohrpost.Default
	}
	return string(p)
}

// NewTask makes the asynq task of a job; content is its encoded form. asynq knows
// whole seconds and cuts the rest off: NotBefore is rounded up.
func NewTask(job *payload.Job, content []byte) *asynq.Task {
	opts := make([]asynq.Option, 0, 5)
	opts = append(opts,
		asynq.TaskID(string(job.Key())),
		asynq.Queue(Name(job.Priority)),
		asynq.MaxRetry(maxRetry),
		asynq.Timeout(TaskTimeout),
	)
	if job.NotBefore.After(job.EnqueuedAt) {
		opts = append(opts, asynq.ProcessAt(job.NotBefore.Add(time.Second-1).Truncate(time.Second)))
	}
	return asynq.NewTask(TaskType, content, opts...)
}

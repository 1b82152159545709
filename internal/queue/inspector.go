package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// A State is where asynq has a task.
type State string

// The states.
const (
	Pending   State = "pending"
	Active    State = "active" // a worker has it in hand
	Scheduled State = "scheduled"
	Retry     State = "retry"
	Archived  State = "archived"
	Completed State = "completed"
)

// States are all of them.
func States() []State { return []State{Pending, Active, Scheduled, Retry, Archived, Completed} }

// A Task is a mail as asynq holds it.
type Task struct {
	Ref
	State    State
	Payload  []byte
	LastErr  string
	LastFail time.Time // zero: never
}

// An Inspector looks at tasks and queues, and changes what is no worker's.
type Inspector struct {
	rdb   redis.UniversalClient
	asynq *asynq.Inspector
}

// NewInspector makes an inspector; it does no I/O.
func NewInspector(rdb redis.UniversalClient) *Inspector {
	return &Inspector{rdb, asynq.NewInspectorFromRedisClient(rdb)}
}

// Task reads a task. The error is ErrNoTask, or Redis's.
func (i *Inspector) Task(ref Ref) (*Task, error) {
	info, err := i.asynq.GetTaskInfo(ref.Queue, ref.ID)
	if err != nil {
		return nil, fmt.Errorf("inspect task: %w", noTask(err))
	}
	return newTask(info), nil
}

// Delete deletes a task that no worker has in hand. The error is ErrNoTask, or another
// one of asynq or Redis.
func (i *Inspector) Delete(ref Ref) error {
	if err := i.asynq.DeleteTask(ref.Queue, ref.ID); err != nil {
		return fmt.Errorf("delete task: %w", noTask(err))
	}
	return nil
}

// archivePage is how many archived tasks are read at a time.
const archivePage = 200

// Archive hands out the archived tasks of a queue. An error of each ends it.
func (i *Inspector) Archive(name string, each func(*Task) error) error {
	for page := 1; ; page++ {
		tasks, err := i.asynq.ListArchivedTasks(name, asynq.Page(page), asynq.PageSize(archivePage))
		if errors.Is(err, asynq.ErrQueueNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		for _, info := range tasks {
			if err := each(newTask(info)); err != nil {
				return err
			}
		}
		if len(tasks) < archivePage {
			return nil
		}
	}
}

// Pause lets workers take nothing from a queue, and Resume ends that. Either fails when
// it is so already.
func (i *Inspector) Pause(name string) error { return i.asynq.PauseQueue(name) }

// Resume ends a pause.
func (i *Inspector) Resume(name string) error { return i.asynq.UnpauseQueue(name) }

func newTask(info *asynq.TaskInfo) *Task {
	return &Task{
		Ref: Ref{info.Queue, info.ID}, State: State(info.State.String()),
		Payload: info.Payload, LastErr: info.LastErr, LastFail: info.LastFailedAt,
	}
}

// noTask is the error of asynq in the words of this package.
func noTask(err error) error {
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return ErrNoTask
	}
	return err
}

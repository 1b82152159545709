package dashboard

import (
	"net/http"
	"strings"

	"github.com/rohrpost/rohrpost/internal/audit"
)

// A selection is which tasks a button of asynqmon is about.
type selection int

const (
	none  selection = iota
	one             // deed.task
	named           // those in the body
	all             // of a tab
)

// A deed is what a button of asynqmon asks for, in the words of this system.
type deed struct {
	action  audit.Action
	refusal string // key of the text that says why it is not done; empty: it is
	pick    selection
	queue   string
	state   string    // asynq's, of the tab: pending, scheduled, retry, archived
	task    string    // asynq's id
	answer  [2]string // names of the lists in asynqmon's answer: what was done, what was not
}

// deedOf reads a request of asynqmon's scripts; name is the path below /api/. What is
// not known is refused, so that a newer asynqmon opens no hole.
func deedOf(method, name string) deed {
	unknown := deed{action: audit.Other, refusal: "act_unknown"}
	path, ok := strings.CutPrefix(name, "queues/")
	if !ok {
		return unknown
	}
	queue, rest, below := strings.Cut(path, "/")
	if !below {
		return queueDeed(method, queue)
	}
	state, rest, ok := strings.Cut(rest, "_tasks")
	if !ok {
		return unknown
	}
	unknown.queue = queue
	var d deed
	switch state {
	case "pending", "scheduled", "retry", "archived":
		d = taskDeed(method, state, rest)
	case "active":
		d = deed{action: audit.Interrupt, refusal: "act_interrupt"}
	}
	if d.action == "" {
		return unknown
	}
	d.queue, d.state = queue, state
	return d
}

// queueDeed reads "bulk", "bulk:pause" and "bulk:resume".
func queueDeed(method, path string) deed {
	queue, verb, _ := strings.Cut(path, ":")
	switch method + " " + verb {
	case http.MethodDelete + " ":
		return deed{action: audit.DeleteQueue, refusal: "act_delete_queue", queue: queue}
	case http.MethodPost + " pause":
		return deed{action: audit.Pause, queue: queue}
	case http.MethodPost + " resume":
		return deed{action: audit.Resume, queue: queue}
	}
	return deed{action: audit.Other, refusal: "act_unknown"}
}

// taskDeed reads what follows "retry_tasks": "/ID", "/ID:run" or ":run_all". An id
// may have colons of its own.
func taskDeed(method, state, rest string) deed {
	run := audit.Reschedule
	if state == "archived" {
		run = audit.Retry
	}
	id, isOne := strings.CutPrefix(rest, "/")
	verb := strings.TrimPrefix(rest, ":")
	if isOne {
		verb = ""
		if i := strings.LastIndexByte(id, ':'); i >= 0 && method == http.MethodPost {
			id, verb = id[:i], id[i+1:]
		}
	}
	switch {
	case isOne && id == "":
		return deed{}
	case isOne && method == http.MethodDelete:
		return deed{action: audit.Cancel, pick: one, task: id}
	case state == "pending" && (verb == "run" || verb == "batch_run" || verb == "run_all"):
		return deed{} // it has no such buttons: what is pending runs
	case isOne && verb == "run":
		return deed{action: run, pick: one, task: id}
	case method == http.MethodDelete && verb == "delete_all":
		return deed{action: audit.DeleteAll, refusal: "act_delete_all"}
	case method != http.MethodPost:
		return deed{}
	}
	switch verb {
	case "archive", "batch_archive", "archive_all":
		return deed{action: audit.Archive, refusal: "act_archive"}
	case "batch_delete":
		return deed{action: audit.Cancel, pick: named, answer: [2]string{"deleted_ids", "failed_ids"}}
	case "batch_run":
		return deed{action: run, pick: named, answer: [2]string{"pending_ids", "error_ids"}}
	case "run_all":
		return deed{action: run, pick: all}
	}
	return deed{}
}

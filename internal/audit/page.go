package audit

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"time"
)

// portion is how many lines one round trip reads.
const portion = 500

// A Query says which acts a Page has.
type Query struct {
	Who    string // exactly; empty: everybody
	Action Action // empty: all
	// Before is the Next of the page before. Empty, or nothing that a page has
	// answered: the latest acts.
	Before string
	Limit  int // at least 1
}

// A Page is some acts, the latest first.
type Page struct {
	Records []Record
	Next    string // where the next page begins; empty: there is none
}

// streamID is how Redis names a line.
var streamID = regexp.MustCompile(`^\d{1,19}-\d{1,19}$`)

// Page reads the acts that a query asks for, in the order in which they ended.
func (l *Log) Page(ctx context.Context, q Query) (Page, error) {
	var page Page
	end, last := "+", ""
	if streamID.MatchString(q.Before) {
		end = "(" + q.Before
	}
	for line, err := range l.back(ctx, end) {
		switch {
		case err != nil:
			return Page{}, err
		case q.Who != "" && line.Who != q.Who, q.Action != "" && line.Action != q.Action:
			continue
		case len(page.Records) == q.Limit:
			page.Next = last
			return page, nil
		}
		page.Records, last = append(page.Records, line.Record), line.id
	}
	return page, nil
}

// A line is a record where it stands in the stream.
type line struct {
	id string
	Record
}

// back goes through the lines from end back to the first.
func (l *Log) back(ctx context.Context, end string) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		for {
			messages, err := l.rdb.XRevRangeN(ctx, streamKey, end, "-", portion).Result()
			if err != nil {
				yield(line{}, fmt.Errorf("audit: read: %w", err))
				return
			}
			for _, m := range messages {
				r, err := parse(m)
				if !yield(line{m.ID, r}, err) || err != nil {
					return
				}
			}
			if len(messages) < portion {
				return
			}
			end = "(" + messages[len(messages)-1].ID
		}
	}
}

const (
	// pauseSlack is by how much the times of a pause and of its line may differ: asynq
	// knows whole seconds.
	pauseSlack = 10 * time.Second
	// orderSlack is by how much a line may tell of an earlier act than those before it.
	orderSlack = time.Hour
)

// PausedBy is who has paused a queue at that time, or "" if no line tells.
func (l *Log) PausedBy(ctx context.Context, queue string, since time.Time) (string, error) {
	for r, err := range l.back(ctx, "+") {
		switch {
		case err != nil:
			return "", err
		case r.Action == Pause && r.Outcome != Refused && r.Queue == queue && r.Time.Sub(since).Abs() <= pauseSlack:
			return r.Who, nil
		case since.Sub(r.Time) > orderSlack:
			return "", nil
		}
	}
	return "", nil
}

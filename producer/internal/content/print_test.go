package content_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer/internal/content"
)

func address(s string) []rohrpost.Address { return []rohrpost.Address{{Name: "N", Address: s}} }

func job(change func(*payload.Job)) *payload.Job {
	j := &payload.Job{MessageID: "<a@b>", EnqueuedAt: time.Now(), Message: rohrpost.Message{
		ID: "a", Tenant: "acme", To: address("to@x.y"), Cc: address("cc@x.y"), Bcc: address("bcc@x.y"), From: rohrpost.Address{Address: "f@x.y"},
		ReplyTo: address("r@x.y"), Subject: "s", Text: "t", HTML: "h", Headers: []rohrpost.Header{{Name: "X-A", Value: "b"}},
		Attachments: []rohrpost.Attachment{{Name: "n", ContentType: "a/b", ContentID: "c", Content: []byte("content")}},
		User:        rohrpost.User{ID: "u"}, Metadata: map[string]string{"k": "v", "l": "w"},
	}}
	if change != nil {
		change(j)
	}
	return j
}

// TestDifferences: each thing that a recipient gets has its name, and what says when has none.
func TestDifferences(t *testing.T) {
	t.Parallel()
	of := content.NewPrinter([]byte("key")).Of
	first := of(job(nil))
	if len(first) != content.Size || content.Size > 64 {
		t.Errorf("%d octets", len(first))
	}
	for name, tt := range map[string]struct {
		change func(*payload.Job)
		want   []string
	}{
		"nothing": {nil, nil},
		"when": {func(j *payload.Job) {
			j.NotBefore, j.Expires, j.EnqueuedAt, j.MessageID = time.Now(), time.Now(), time.Time{}, "<c@d>"
			j.Priority = rohrpost.Bulk
		}, nil},
		"defaults said": {func(j *payload.Job) {
			j.Origin, j.Category, j.OnUncertain = rohrpost.Automatic, rohrpost.Transactional, rohrpost.Resend
		}, nil},
		"to":          {func(j *payload.Job) { j.To[0].Address = "two@x.y" }, []string{"to"}},
		"name":        {func(j *payload.Job) { j.To[0].Name = "M" }, []string{"to"}},
		"one more":    {func(j *payload.Job) { j.To = append(j.To, j.Cc...) }, []string{"to"}},
		"cc as bcc":   {func(j *payload.Job) { j.Cc, j.Bcc = j.Bcc, j.Cc }, []string{"cc", "bcc"}},
		"from":        {func(j *payload.Job) { j.From.Address = "g@x.y" }, []string{"from"}},
		"reply_to":    {func(j *payload.Job) { j.ReplyTo = nil }, []string{"reply_to"}},
		"subject":     {func(j *payload.Job) { j.Subject = "" }, []string{"subject"}},
		"text":        {func(j *payload.Job) { j.Text = "t " }, []string{"text"}},
		"html, text":  {func(j *payload.Job) { j.Text, j.HTML = j.HTML, j.Text }, []string{"text", "html"}},
		"large text":  {func(j *payload.Job) { j.Text = strings.Repeat("x", 100_000) }, []string{"text"}},
		"headers":     {func(j *payload.Job) { j.Headers[0] = rohrpost.Header{Name: "X-Ab", Value: ""} }, []string{"headers"}},
		"file":        {func(j *payload.Job) { j.Attachments[0].Content = []byte("Content") }, []string{"attachments"}},
		"empty file":  {func(j *payload.Job) { j.Attachments[0].Content = nil }, []string{"attachments"}},
		"file's name": {func(j *payload.Job) { j.Attachments[0].Name = "m" }, []string{"attachments"}},
		"file's type": {func(j *payload.Job) { j.Attachments[0].ContentType = "a/c" }, []string{"attachments"}},
		"file's id":   {func(j *payload.Job) { j.Attachments[0].ContentID = "" }, []string{"attachments"}},
		"user":        {func(j *payload.Job) { j.User.LastName = "x" }, []string{"user"}},
		"metadata":    {func(j *payload.Job) { j.Metadata = map[string]string{"k": "v"} }, []string{"metadata"}},
		"choices": {func(j *payload.Job) {
			j.Origin, j.Category, j.OnUncertain = rohrpost.Manual, rohrpost.Marketing, rohrpost.Hold
		}, []string{"origin", "category", "on_uncertain"}},
	} {
		second := of(job(tt.change))
		if diff := cmp.Diff(tt.want, second.Differences(first)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(tt.want, first.Differences(second)); diff != "" {
			t.Errorf("%s, the other way: %s", name, diff)
		}
	}
}

// TestPrintsThatCannotBeCompared are no conflict: the id answers as it always did.
func TestPrintsThatCannotBeCompared(t *testing.T) {
	t.Parallel()
	first := content.NewPrinter([]byte("key")).Of(job(nil))
	other := job(func(j *payload.Job) { j.Subject = "x" })
	for name, odd := range map[string]content.Print{
		"none": "", "cut": first[:9], "newer": content.Print("\x02") + content.NewPrinter([]byte("key")).Of(other)[1:],
		"another key": content.NewPrinter([]byte("other")).Of(other), "longer": first + "x",
	} {
		if fields := odd.Differences(first); fields != nil {
			t.Errorf("%s: %q", name, fields)
		}
		if fields := first.Differences(odd); fields != nil {
			t.Errorf("%s, the other way: %q", name, fields)
		}
	}
}

// TestPrintsSayNothing: equal contents of two ids, and equal fields, look like any others.
func TestPrintsSayNothing(t *testing.T) {
	t.Parallel()
	p := content.NewPrinter([]byte("key"))
	a := p.Of(job(func(j *payload.Job) { j.Text, j.HTML, j.Subject = "same", "same", "same" }))
	b := p.Of(job(func(j *payload.Job) { j.Text, j.HTML, j.Subject, j.ID = "same", "same", "same", "b" }))
	const begin, group = 5, 4
	seen := map[string]bool{}
	for _, one := range []content.Print{a, b} {
		for at := begin; at < content.Size; at += group {
			if seen[string(one[at:at+group])] {
				t.Errorf("the group at %d was seen before", at)
			}
			seen[string(one[at:at+group])] = true
		}
	}
}

func TestPrintLinear(t *testing.T) { //nolint:paralleltest // it measures
	growthtest.Linear(t, 256<<10, func(size int) func() {
		j := job(func(j *payload.Job) {
			j.Text, j.Attachments[0].Content = strings.Repeat("x", size/2), make([]byte, size/2)
		})
		return func() { content.NewPrinter(nil).Of(j) }
	})
}

package ledger

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

func TestVerdictRoundTrip(t *testing.T) {
	t.Parallel()
	for _, v := range []rohrpost.RecipientStatus{
		{State: rohrpost.RecipientAccepted},
		{State: rohrpost.RecipientFailed, Code: 550, Enhanced: "5.1.1", Diagnostic: "user unknown"},
		{State: rohrpost.RecipientDeferred, Code: 451, Diagnostic: "|a|b|\r\n\x00\xff|accepted|250||"},
		{State: rohrpost.RecipientUncertain, Enhanced: "4.4.2"},
	} {
		if diff := cmp.Diff(v, decodeVerdict(encodeVerdict(v))); diff != "" {
			t.Error(diff)
		}
	}
}

func FuzzVerdict(f *testing.F) {
	f.Add("accepted|250|2.0.0|Ok: queued as 4711")
	f.Add("deferred|||a|b|c")
	f.Add("||||")
	f.Add("accepted|two hundred||")
	f.Add("accepted")
	f.Fuzz(func(t *testing.T, s string) {
		v := decodeVerdict(s)
		if again := decodeVerdict(encodeVerdict(v)); again != v {
			t.Errorf("%q: %+v, then %+v", s, v, again)
		}
		if strings.Count(s, "|") < 3 && v != (rohrpost.RecipientStatus{State: rohrpost.RecipientWaiting}) {
			t.Errorf("%q: %+v", s, v)
		}
	})
}

func TestEventRoundTrip(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1772323199999).UTC()
	for _, e := range []rohrpost.Event{
		{},
		{Time: at, State: rohrpost.Canceled, By: rohrpost.ByOperator},
		{
			Time: at, State: rohrpost.Deferred, Attempt: 3, By: "x", Account: "a", Level: "b", Why: "c", Host: "d", Stage: "e", Category: "f",
			Class: "g", Code: 451, Enhanced: "4.7.1", Diagnostic: "\"|\n\x00<ü>", NextAttempt: at.Add(time.Hour),
		},
	} {
		got := history(map[string]string{fieldEvents: "1", prefixEvent + "0": encodeEvent(e)})
		if diff := cmp.Diff([]rohrpost.Event{e}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestParseNote(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     *Note
	}{
		{"none", "", nil},
		{"all", "T1 1000 0,1,2", &Note{Token: "T1", At: time.UnixMilli(1000).UTC(), Recipients: []int{0, 1, 2}}},
		{"of nobody we know", "T1 1000 3,-1,x,,1", &Note{Token: "T1", At: time.UnixMilli(1000).UTC(), Recipients: []int{1}}},
		{"no time", "T1 soon 1", &Note{Token: "T1", Recipients: []int{1}}},
		{"cut off", "T1 1000", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, parseNote(tt.in, 3)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// Whatever is in Redis, a record can be read, and its parts fit together.
func FuzzRecord(f *testing.F) {
	f.Add("acme", "accepted", "1", "T1 1000 0,1", "a@b.example\nc@d.example", "accepted|250||ok", "1000", `{"a":"b"}`, "@b.example>")
	f.Add("", "", "-1", "  ", "\n\n", "|", "99999999999999999999", "{", "<x>")
	f.Fuzz(func(t *testing.T, tenant, state, number, note, to, verdict, ms, md, messageID string) {
		r := parseRecord("id", map[string]string{
			fieldTenant: tenant, fieldState: state, fieldRevision: number, fieldAttempts: number, fieldSending: note,
			fieldRecipients: to, prefixRecipient + "0": verdict, fieldEnqueued: ms, fieldNext: ms, fieldDue: ms, fieldUpdated: ms,
			fieldMetadata: md, fieldMessageID: messageID, fieldTwice: number,
			fieldEvents: number, prefixEvent + "0": md,
		})
		if want := strings.Count(to, "\n") + 1; to != "" && len(r.Recipients) != want {
			t.Errorf("%d recipients in %q", len(r.Recipients), to)
		}
		if r.Sending != nil && slices.ContainsFunc(r.Sending.Recipients, func(i int) bool { return i < 0 || i >= len(r.Recipients) }) {
			t.Errorf("note %+v of %d recipients", r.Sending, len(r.Recipients))
		}
		if r.Tenant != tenant || string(r.State) != state {
			t.Errorf("%+v", r)
		}
	})
}

func TestJoinLines(t *testing.T) {
	t.Parallel()
	for _, list := range [][]string{{"a"}, {"a", "b|c"}, {"a\nb"}, {"a\nb", "\n", "c"}} {
		if got := strings.Split(joinLines(list), "\n"); len(got) != len(list) {
			t.Errorf("%q became %q", list, got)
		}
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	tests := []struct{ id, messageID, short string }{
		{"a", "<a@acme.example>", "@acme.example>"},
		{"a", "<ab@acme.example>", "<ab@acme.example>"},
		{"a:b", "<0123@acme.example>", "<0123@acme.example>"},
		{"a", "", ""},
	}
	for _, tt := range tests {
		short := shortMessageID(tt.id, tt.messageID)
		if long := longMessageID(tt.id, short); short != tt.short || long != tt.messageID {
			t.Errorf("%q became %q and %q", tt.messageID, short, long)
		}
	}
}

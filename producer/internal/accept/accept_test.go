package accept_test

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 123_456_789, time.FixedZone("", 3600))

func rules(t *testing.T, maxSize int64, domain string) accept.Rules {
	t.Helper()
	r, err := accept.New(accept.Options{MaxSize: maxSize, Domain: domain})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func message(id string) *rohrpost.Message {
	return &rohrpost.Message{ID: id, To: []rohrpost.Address{{Address: "kunde@example.org"}}, Text: "x"}
}

func TestJob(t *testing.T) {
	t.Parallel()
	m := message("invoice-4711")
	m.User.Address = "max@ACME.example"
	job, err := rules(t, 0, "").Job(m, now)
	if err != nil {
		t.Fatal(err)
	}
	want := &payload.Job{
		Message: *m, MessageID: "<invoice-4711.mm7gmbnf@rohrpost.invalid>", EnqueuedAt: time.Date(2026, 3, 1, 8, 0, 0, 123e6, time.UTC),
	}
	if diff := cmp.Diff(want, job); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewIDs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z0-9]{26}$`)
	seen := map[string]bool{}
	for range 10_000 {
		id := accept.NewID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

// msgID is RFC 5322 §3.6.4 without its obsolete forms.
var msgID = regexp.MustCompile("^<" + dotAtom + "@" + dotAtom + ">$")

const dotAtom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"

func TestMessageIDOfEveryID(t *testing.T) {
	t.Parallel()
	r := rules(t, 0, "rohrpost.example")
	seen := map[string]string{}
	try := func(id string) {
		job, err := r.Job(message(id), now)
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if !msgID.MatchString(job.MessageID) {
			t.Errorf("%q becomes %s", id, job.MessageID)
		}
		if _, err := mail.ParseAddress(job.MessageID); err != nil {
			t.Errorf("%q becomes %s: %v", id, job.MessageID, err)
		}
		if other, taken := seen[job.MessageID]; taken {
			t.Errorf("%q and %q become %s", id, other, job.MessageID)
		}
		seen[job.MessageID] = id
		if again, err := r.Job(message(id), now); err != nil || again.MessageID != job.MessageID {
			t.Errorf("%q becomes %s and %s", id, job.MessageID, again.MessageID)
		}
	}
	const allowed = "aZ9._:~-/@+="
	for _, first := range "aZ9" {
		try(string(first))
		for _, a := range allowed {
			try(string(first) + string(a))
			for _, b := range allowed {
				try(string(first) + string(a) + string(b))
				for _, c := range allowed {
					try(string(first) + string(a) + string(b) + string(c))
				}
			}
		}
	}
	for _, n := range []int{49, 50, 51, 64, 128, 256} {
		try(strings.Repeat("x", n))
		job, err := r.Job(message(strings.Repeat("x", n)), now)
		left, _, _ := strings.Cut(job.MessageID, "@")
		if most := len("<") + 64; err != nil || len(left) > most {
			t.Errorf("an id of %d octets becomes a left side of %d, %v", n, len(left)-1, err)
		}
	}
}

// Tenants who choose the same id have the same sender domain, perhaps: their Message-IDs
// differ all the same. A random id is nobody else's, and needs no mark.
func TestMessageIDOfTenants(t *testing.T) {
	t.Parallel()
	r := rules(t, 0, "rohrpost.example")
	seen := map[string]string{}
	for _, id := range []string{"a", "a:b", "a.."} {
		for _, tenant := range []string{"", "acme", "Acme", "acme.", "Müller & Söhne"} {
			m := message(id)
			m.Tenant = tenant
			job, err := r.Job(m, now)
			if err != nil {
				t.Fatal(err)
			}
			if !msgID.MatchString(job.MessageID) {
				t.Errorf("%q of %q becomes %s", id, tenant, job.MessageID)
			}
			if other, taken := seen[job.MessageID]; taken {
				t.Errorf("%q of %q and %s become %s", id, tenant, other, job.MessageID)
			}
			seen[job.MessageID] = id + " of " + tenant
		}
	}
	m := message("a.822b33ad87") // as the Message-ID of acme's "a" begins
	m.Tenant = "evil"
	if job, err := r.Job(m, now); err != nil || seen[job.MessageID] != "" {
		t.Errorf("%+v, %v", job, err)
	}
	m = message("")
	m.Tenant = "acme"
	if job, err := r.Job(m, now); err != nil || job.MessageID != "<"+job.ID+"@rohrpost.example>" {
		t.Errorf("%+v, %v", job, err)
	}
}

func TestBoundRules(t *testing.T) {
	t.Parallel()
	free := rules(t, 0, "")
	for _, bound := range []string{"", "acme"} {
		r := free.For(bound)
		for _, tenant := range []string{"", "acme", "other"} {
			m := message("a")
			m.Tenant = tenant
			job, err := r.Job(m, now)
			if ok := tenant == "" || tenant == bound; ok != (err == nil) || ok && job.Tenant != bound || m.Tenant != tenant {
				t.Errorf("bound to %q, of %q: %+v, %v", bound, tenant, job, err)
			}
			if r.Sees(tenant) != (tenant == bound) || !free.Sees(tenant) {
				t.Errorf("bound to %q, it sees %q: %t", bound, tenant, r.Sees(tenant))
			}
		}
	}
}

// The sender's domain is not known yet, and the host's name is nobody's business.
func TestMessageIDDomain(t *testing.T) {
	t.Parallel()
	for option, want := range map[string]string{"": "", "Option.example": "<id.mm7gmbnf@option.example>"} {
		m := message("id")
		m.From.Address, m.User.Address = "a@from.example", "b@user.example"
		job, err := rules(t, 0, option).Job(m, now)
		if err != nil || payload.KnownMessageID(job.MessageID) != want || !msgID.MatchString(job.MessageID) {
			t.Errorf("%q: %+v, %v", option, job, err)
		}
	}
	for _, wrong := range []string{"vm", "bücher.example", "a b.example", "[192.0.2.1]", "x@y.example"} {
		if _, err := accept.New(accept.Options{Domain: wrong}); err == nil {
			t.Errorf("%q is taken for a domain", wrong)
		}
	}
}

// An id that is used again long afterwards is another mail.
func TestMessageIDOfAnIDThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, at := range []time.Time{now, now.Add(time.Millisecond), now.AddDate(1, 0, 0)} {
		job, err := rules(t, 0, "").Job(message("id"), at)
		if err != nil || seen[job.MessageID] {
			t.Errorf("%v: %+v, %v", at, job, err)
		}
		seen[job.MessageID] = true
	}
}

// The size is that of the mail as sent, to within the headers.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	r := rules(t, limit, "")
	largest := func(build func(n int) *rohrpost.Message) int {
		lo, hi := 0, limit
		for lo < hi {
			n := (lo + hi + 1) / 2
			if _, err := r.Job(build(n), now); err == nil {
				lo = n
			} else {
				hi = n - 1
			}
		}
		return lo
	}
	text := largest(func(n int) *rohrpost.Message {
		m := message("")
		m.Text, m.HTML, m.NoTextPart = "", strings.Repeat("x", n), true // one line: quoted-printable
		return m
	})
	file := largest(func(n int) *rohrpost.Message {
		m := message("")
		m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, n)}}
		return m
	})
	if sent := text * 78 / 75; sent < limit-6000 || sent > limit {
		t.Errorf("the largest body has %d bytes, about %d as sent", text, sent)
	}
	if sent := file * 78 / 57; sent < limit-8000 || sent > limit {
		t.Errorf("the largest attachment has %d bytes, about %d as sent", file, sent)
	}
}

// All problems come at once, the size among them.
func TestAllProblems(t *testing.T) {
	t.Parallel()
	m := message("a b")
	m.Text = strings.Repeat("x", 10_000)
	job, err := rules(t, 5_000, "").Job(m, now)
	var problems rohrpost.FieldErrors
	if job != nil || !errors.As(err, &problems) || len(problems) != 2 || problems[0].Field != "id" || problems[1].Field != "text" {
		t.Errorf("got %v, %v", job, err)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	for _, tt := range []struct {
		verdicts []error
		want     string
	}{
		{nil, ""},
		{[]error{nil, nil}, ""},
		{[]error{nil, bad, nil, errors.New("worse")}, "2 of 4 messages were not accepted; message 1: bad"},
		{[]error{bad}, "1 of 1 messages were not accepted; message 0: bad"},
	} {
		err := accept.Summary(len(tt.verdicts), func(i int) error { return tt.verdicts[i] })
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, bad) || err.Error() != tt.want) {
			t.Errorf("%v: got %v, want %s", tt.verdicts, err, tt.want)
		}
	}
}

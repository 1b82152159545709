package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A world is one job, the server that gets its mail, and a few attempts at it
// that are all somewhere between their start and their end.
type world struct {
	*book
	t     *testing.T
	rand  *rand.Rand
	job   *payload.Job
	hold  bool
	trace []string

	attempts []*try
	serial   int
	armed    *try         // the attempt whose note stands
	has      []int        // how often the server took the mail, by recipient
	twiceOK  []bool       // doubt has been recorded of this recipient
	told     map[int]bool // recorded as accepted
	counted  int          // settlements that counted
	canceled bool         // and not past its dot
	reopened bool         // by a person, after it had ended
}

// A try is one attempt: what package delivery makes of the ledger.
type try struct {
	token    string
	revision int
	open     []int
	doubtful map[int]bool // recipients who may have the mail
	sent     bool         // past the dot
	verdicts map[int]rohrpost.RecipientStatus
	step     func(*try)
}

func (w *world) logf(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.trace {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

// spawn starts an attempt. One that takes the job for new has not read it.
func (w *world) spawn() {
	w.serial++
	a := &try{token: "T" + strconv.Itoa(w.serial)}
	a.step = w.arm
	for i := range w.has {
		a.open = append(a.open, i)
	}
	if w.rand.IntN(3) > 0 {
		a.step = w.look
	}
	w.attempts = append(w.attempts, a)
}

func (w *world) end(a *try, why string) {
	w.logf("%s ends: %s", a.token, why)
	w.attempts = slices.DeleteFunc(w.attempts, func(b *try) bool { return a == b })
}

// look reads the record and decides.
func (w *world) look(a *try) {
	r := w.load(w.job.ID)
	a.revision, a.open, a.doubtful = r.Revision, nil, map[int]bool{}
	switch {
	case r.State.Final():
		w.end(a, "the job is "+string(r.State))
		return
	case r.Sending != nil:
		w.doubt(a, r)
		return
	}
	for i, s := range r.Recipients {
		if w.waits(s.State) {
			a.open = append(a.open, i)
			a.doubtful[i] = s.State == uncertain
		}
	}
	if len(a.open) == 0 {
		w.settle(a, nil)
		return
	}
	a.step = w.arm
	if w.rand.IntN(4) == 0 {
		a.step = w.refused
	}
}

func (w *world) waits(s rohrpost.RecipientState) bool {
	return s == waiting || s == deferred || s == uncertain && !w.hold
}

// doubt ends an attempt that has found another one's note.
func (w *world) doubt(a *try, r *ledger.Record) {
	v := map[int]rohrpost.RecipientStatus{}
	for _, i := range r.Sending.Recipients {
		v[i] = rohrpost.RecipientStatus{State: uncertain}
	}
	err := w.Settle(w.t.Context(), w.job, ledger.Settlement{
		Token: r.Sending.Token, Revision: r.Revision, State: w.state(r, v), Counts: true, Verdicts: v,
	})
	w.logf("%s doubts %s: %v", a.token, r.Sending.Token, err)
	if err == nil {
		if w.armed == nil || w.armed.token != r.Sending.Token {
			w.fail("doubt of a note that does not stand")
		}
		w.armed = nil
		w.counted++
		for i := range v {
			w.twiceOK[i] = true
		}
	}
	w.end(a, "after doubt")
}

// state is what the verdicts, and the record for the others, come to.
func (w *world) state(r *ledger.Record, v map[int]rohrpost.RecipientStatus) rohrpost.State {
	n := map[rohrpost.RecipientState]int{}
	for i, s := range r.Recipients {
		if now, ok := v[i]; ok && s.State != accepted {
			s = now
		}
		if w.waits(s.State) {
			return rohrpost.Deferred
		}
		n[s.State]++
	}
	switch {
	case n[uncertain] > 0:
		return rohrpost.Uncertain
	case n[failed] == 0:
		return rohrpost.Accepted
	case n[accepted] > 0:
		return rohrpost.Partly
	}
	return rohrpost.Failed
}

// refused is an attempt that does not come as far as the dot. Who may have the
// mail from an earlier one still may.
func (w *world) refused(a *try) {
	v := map[int]rohrpost.RecipientStatus{}
	for _, i := range a.open {
		v[i] = rohrpost.RecipientStatus{State: deferred, Diagnostic: a.token}
		if a.doubtful[i] {
			v[i] = rohrpost.RecipientStatus{State: uncertain, Diagnostic: a.token}
		}
	}
	w.settle(a, v)
}

// arm is the moment before the dot; the reply of the ledger may be lost.
func (w *world) arm(a *try) {
	if w.rand.IntN(10) == 0 {
		w.end(a, "killed before the dot")
		return
	}
	recorded := w.load(w.job.ID)
	err := w.Arm(w.t.Context(), w.job, a.revision, a.token, a.open)
	if w.rand.IntN(5) == 0 {
		again := w.Arm(w.t.Context(), w.job, a.revision, a.token, a.open)
		if !errors.Is(again, err) {
			w.fail("arm repeated: %v, then %v", err, again)
		}
	}
	w.logf("%s arms %v at revision %d: %v", a.token, a.open, a.revision, err)
	if errors.Is(err, ledger.ErrStale) {
		a.step = w.look
		return
	}
	switch {
	case err != nil:
		w.fail("arm: %v", err)
	case w.armed != nil:
		w.fail("%s and %s are armed", w.armed.token, a.token)
	case recorded.State.Final() || w.canceled:
		w.fail("armed when %s", recorded.State)
	}
	for _, i := range a.open {
		if recorded.Recipients[i].State == accepted {
			w.fail("recipient %d, who is accepted, is armed", i)
		}
		if w.has[i] > 0 && !w.twiceOK[i] {
			w.fail("recipient %d, who has the mail, is armed, and nobody has doubted", i)
		}
		if recorded.Recipients[i].State == uncertain && (w.hold || !a.doubtful[i]) {
			w.fail("recipient %d, who may have the mail, is armed as if not", i)
		}
	}
	w.armed, a.step = a, w.dot
}

// dot is the server's part: it takes the mail or not, for each recipient, and
// tells or does not.
func (w *world) dot(a *try) {
	a.sent, a.verdicts = true, map[int]rohrpost.RecipientStatus{}
	told := w.rand.IntN(4) > 0
	for _, i := range a.open {
		s := []rohrpost.RecipientState{accepted, accepted, deferred, failed}[w.rand.IntN(4)]
		if s == accepted {
			w.has[i]++
		}
		if !told {
			s = uncertain
		}
		a.verdicts[i] = rohrpost.RecipientStatus{State: s, Code: w.serial, Diagnostic: a.token}
	}
	w.logf("%s: the server says %v", a.token, a.verdicts)
	if a.step = func(*try) { w.settle(a, a.verdicts) }; w.rand.IntN(4) == 0 {
		w.end(a, "killed after the dot")
	}
}

// settle writes the verdicts; the state follows from the record that was read.
func (w *world) settle(a *try, v map[int]rohrpost.RecipientStatus) {
	r := w.load(w.job.ID)
	seen := *r
	if r.Revision != a.revision { // the attempt cannot know what is there now
		seen.Recipients = slices.Clone(r.Recipients)
		for i := range seen.Recipients {
			seen.Recipients[i].State = waiting
		}
	}
	s := ledger.Settlement{Token: a.token, Revision: a.revision, State: w.state(&seen, v), Counts: true, Verdicts: v}
	err := w.Settle(w.t.Context(), w.job, s)
	w.logf("%s settles %s %v at revision %d: %v", a.token, s.State, v, a.revision, err)
	if w.rand.IntN(4) == 0 {
		if again := w.Settle(w.t.Context(), w.job, s); err == nil && again != nil {
			w.fail("settle repeated: %v", again)
		}
	}
	for i, verdict := range v {
		if verdict.State == accepted {
			w.told[i] = true
		}
		if verdict.State == uncertain && w.armed == a {
			w.twiceOK[i] = true
		}
	}
	if w.armed == a {
		w.armed = nil
	}
	switch {
	case err == nil:
		w.counted++
		w.end(a, "settled")
	case !errors.Is(err, ledger.ErrStale):
		w.fail("settle: %v", err)
	case a.sent:
		a.step = w.reconcile
	default:
		a.step = w.look
	}
}

// reconcile draws the state from the record, after verdicts that came late.
func (w *world) reconcile(a *try) {
	r := w.load(w.job.ID)
	state := w.state(r, nil)
	if r.Sending != nil || !state.Final() || state == r.State {
		w.end(a, "nothing to reconcile")
		return
	}
	err := w.Settle(w.t.Context(), w.job, ledger.Settlement{Token: a.token, Revision: r.Revision, State: state})
	w.logf("%s reconciles %s with %s: %v", a.token, r.State, state, err)
	if err == nil {
		w.end(a, "reconciled")
	}
}

// person retries the job, or puts it off.
func (w *world) person() {
	before := w.load(w.job.ID).State
	what := []string{"reopen", "reschedule"}[w.rand.IntN(2)]
	err := w.act(what, w.job)
	w.logf("%s of %s: %v", what, before, err)
	if w.armed != nil && !errors.Is(err, ledger.ErrSending) {
		w.fail("%s past the dot: %v", what, err)
	}
	if err == nil && before.Final() {
		w.reopened, w.canceled = true, false
	}
}

// check compares the record with what has happened.
func (w *world) check() {
	r := w.load(w.job.ID)
	for i, s := range r.Recipients {
		if w.told[i] && s.State != accepted {
			w.fail("recipient %d was accepted, the record says %s", i, s.State)
		}
		if s.State == accepted && w.has[i] == 0 {
			w.fail("recipient %d was never accepted", i)
		}
		if w.has[i] > 1 && !w.twiceOK[i] {
			w.fail("recipient %d has the mail %d times, and nobody has doubted", i, w.has[i])
		}
		if w.hold && w.has[i] > 1 && !w.reopened {
			w.fail("recipient %d, to be held, has the mail %d times", i, w.has[i])
		}
	}
	if (r.Sending != nil) != (w.armed != nil) {
		w.fail("note %+v, armed %v", r.Sending, w.armed)
	}
	if r.Attempts != w.counted {
		w.fail("%d attempts, %d settled", r.Attempts, w.counted)
	}
}

// TestModel lets several attempts at one job run in every order.
func TestModel(t *testing.T) {
	t.Parallel()
	const jobs, steps = 300, 60
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	b := open(t)
	finals := map[rohrpost.State]int{}
	for n := range jobs {
		w := &world{book: b, t: t, rand: rand.New(rand.NewPCG(seed, uint64(n))), told: map[int]bool{}}
		w.hold = n%2 == 0
		w.has = make([]int, 1+w.rand.IntN(3))
		w.twiceOK = make([]bool, len(w.has))
		w.job = b.reserved("job"+strconv.Itoa(n), len(w.has))
		for step := range steps {
			switch {
			case len(w.attempts) == 0 || len(w.attempts) < 3 && w.rand.IntN(4) == 0 && step < steps/2:
				w.spawn()
			case step == 3 && w.rand.IntN(6) == 0:
				_, err := w.Cancel(t.Context(), w.job.Key())
				w.logf("cancel: %v", err)
				w.canceled = err == nil
				if w.armed != nil && !errors.Is(err, ledger.ErrSending) && !errors.Is(err, ledger.ErrFinal) {
					w.fail("canceled past the dot: %v", err)
				}
			case w.rand.IntN(15) == 0:
				w.person()
			default:
				a := w.attempts[w.rand.IntN(len(w.attempts))]
				a.step(a)
			}
			w.check()
		}
		finals[b.load(w.job.ID).State]++
	}
	t.Logf("%v", finals)
	for _, s := range []rohrpost.State{rohrpost.Accepted, rohrpost.Partly, rohrpost.Failed, rohrpost.Uncertain, rohrpost.Canceled} {
		if finals[s] == 0 {
			t.Errorf("no job ended %s: the model has become too tame", s)
		}
	}
}

package accounts

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/idn"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A Try is what to try, and for whom.
type Try struct {
	Who   redisstore.Actor
	Place resolver.Place
	// Unsaved are settings that are not stored, and are not by this. Nil: the
	// stored ones.
	Unsaved *resolver.Entry
	// To is who gets the mail. Empty: Person, else the account's address, else its
	// administrator's. Nobody but an operator may name another one.
	To       rohrpost.Address
	Person   string // address of who tries it; empty: not known
	Language string // de, de-AT …; everything else is English
	// Seen is called with each step as soon as it is done, by the goroutine that tries;
	// nil: nobody looks.
	Seen func(doctor.Step) `json:"-"`
}

// A Result is what became of a test mail.
type Result struct {
	Accepted    bool   `json:"accepted"`
	Account     string `json:"account"`
	Host        string `json:"host"`
	From        string `json:"from"`
	To          string `json:"to"`
	ReplyTo     string `json:"reply_to"`
	ReversePath string `json:"reverse_path"`
	MessageID   string `json:"message_id"`
	TookMS      int64  `json:"took_ms"`

	Stage    failure.Stage `json:"stage,omitempty"`
	Category string        `json:"category,omitempty"`
	Class    failure.Class `json:"class,omitempty"`
	Code     int           `json:"code,omitempty"`
	Enhanced string        `json:"enhanced,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	Reply    string        `json:"reply,omitempty"` // scrubbed, for operators; that all connections are busy is for everybody

	Checked  bool     `json:"checked,omitempty"` // the stored settings count as checked now
	Warnings []string `json:"warnings,omitempty"`

	Steps []doctor.Step `json:"steps,omitempty"` // how far it came; none where that is concealed
}

// subject is the account to try. version is that of stored settings in Redis.
type subject struct {
	account *resolver.Account
	rest    resolver.Candidates
	known   []string // addresses to which a test mail may go
	stored  bool
	version int64
}

func (s *Service) subject(ctx context.Context, t *Try) (subject, error) {
	sub := subject{stored: t.Unsaved == nil}
	err := s.mayTry(ctx, t.Who, t.Place)
	if err != nil {
		return sub, err
	}
	switch {
	case t.Unsaved != nil:
		sub.account, err = s.preview(ctx, t)
	case s.store != nil:
		var r *redisstore.Record
		if r, err = s.store.Get(ctx, t.Place); err == nil {
			sub.account, sub.version = r.Account, r.Version
		}
	default:
		sub.account, _, err = s.Find(ctx, t.Place)
	}
	if err == nil && sub.account == nil {
		err = fmt.Errorf("%s: %w", t.Place, redisstore.ErrUnknown)
	}
	if err == nil {
		err = tryable(sub.account)
	}
	if err != nil {
		return sub, err
	}
	if sub.rest, err = s.Accounts(ctx, t.Place.Tenant, t.Place.User); err != nil {
		return sub, err
	}
	sub.known = t.known(&sub.rest)
	if e := t.Unsaved; e != nil {
		sub.wear(e, t.Place)
	}
	return sub, err
}

// tryable says what is missing for a try; an account that is switched off may be
// incomplete.
func tryable(a *resolver.Account) error {
	if a.Unusable == resolver.Misplaced {
		return fmt.Errorf("%s cannot be tried: %w: %w", a.ID(), resolver.ErrUnusable, failure.ErrMisplaced)
	}
	if a.Unusable != "" {
		return fmt.Errorf("%s cannot be tried: %w: %s", a.ID(), resolver.ErrUnusable, a.Unusable)
	}
	on := *a
	on.UsePlatformDefault = false
	if err := on.Validate(); err != nil {
		return fmt.Errorf("%s cannot be tried: %w", a.ID(), err)
	}
	return nil
}

// wear takes what belongs to the account from unsaved settings.
func (sub *subject) wear(e *resolver.Entry, p resolver.Place) {
	switch p.Level() {
	case resolver.Platform:
		sub.rest.PlatformAdmin = e.AdminAddress
	case resolver.Tenant:
		sub.rest.TenantAdmin, sub.rest.Branding = e.AdminAddress, e.Branding
	case resolver.User:
		sub.rest.Person = rohrpost.User{ID: p.User, FirstName: e.FirstName, LastName: e.LastName, Address: sub.account.Address}
	}
}

// preview is the account that unsaved settings would make.
func (s *Service) preview(ctx context.Context, t *Try) (*resolver.Account, error) {
	if s.store != nil {
		return s.store.Preview(ctx, t.Who, t.Place, t.Unsaved)
	}
	if err := t.Unsaved.Validate(t.Place.Level()); err != nil || t.Unsaved.Account == nil {
		return nil, err
	}
	a := t.Unsaved.Account.Account(t.Place.Level(), t.Place.Tenant, t.Place.User)
	a.Trusted = t.Who.Role == redisstore.Operator
	return a, a.Validate()
}

// TestMail sends a test mail with stored or unsaved settings. It stores nothing,
// but a success with stored settings counts as their check and frees an account
// that was parked; a refused login parks it.
//
// The error is that nothing could be tried: redisstore.ErrForbidden,
// redisstore.ErrLocked, redisstore.ErrUnknown, ErrRecipient, or what is wrong with
// the settings. What the server said is in the result. Ask Admit before.
func (s *Service) TestMail(ctx context.Context, t Try) (Result, error) {
	sub, err := s.subject(ctx, &t)
	if err != nil {
		return Result{}, err
	}
	if t.To, err = t.recipient(sub.known); err != nil {
		return Result{}, err
	}
	sender := resolver.Through(sub.account, sub.rest, resolver.Request{Tenant: t.Place.Tenant, User: rohrpost.User{ID: t.Place.User}})
	r := Result{
		Account: sub.account.ID(), Host: sub.account.Host(), From: sender.From.Address, To: t.To.Address,
		ReplyTo: sender.ReplyTo[0].Address, ReversePath: sender.ReversePath, MessageID: messageID(sender.From.Address),
		Warnings: words.Sentences(t.Language, sub.account.Warnings()),
	}
	start, begin := s.now(), time.Now()
	body, utf8, err := compose.Both(ctx, compose.Input{
		Message: testMessage(&t, &r, start), MessageID: r.MessageID, Date: start, From: sender.From, ReplyTo: sender.ReplyTo, Branding: compose.Look(sender.Branding),
	})
	if err != nil {
		return r, err
	}
	mail := transport.Mail{JobID: "test mail", ReversePath: sender.ReversePath, Recipients: []string{t.To.Address}, Body: body, UTF8: utf8}
	course := doctor.Course{Language: t.Language, Seen: t.Seen}
	out, err := s.route.Try(ctx, sub.account, mail, course.Passed)
	if err != nil {
		return r, err
	}
	r.TookMS = s.now().Sub(start).Milliseconds()
	v := out.Verdicts[0]
	if sender.Central() {
		v.Failure = v.Failure.OfCentralSender()
	}
	hidden := false
	if t.Who.Role != redisstore.Operator {
		v.Failure, hidden = doctor.Concealed(v.Failure)
	}
	switch {
	case hidden:
	case v.Failure == nil:
		course.Passed(failure.StageDot)
	default:
		course.Failed(v.Failure)
	}
	r.Steps = course.Steps
	if hidden {
		r.TookMS, r.Steps = 0, nil
		even(ctx, begin)
		sub.stored = false // else it would be seen by whether the account is parked
	}
	return r, s.conclude(ctx, &t, &sub, &r, v)
}

func (s *Service) conclude(ctx context.Context, t *Try, sub *subject, r *Result, v transport.Verdict) error {
	f := v.Failure
	if f == nil {
		r.Accepted, r.Code, r.Enhanced = true, v.Code, v.Enhanced
		var err error
		if sub.stored {
			r.Checked, err = s.passed(ctx, t, sub)
		}
		return err
	}
	r.Stage, r.Category, r.Class, r.Code, r.Enhanced, r.Hint = f.Stage, f.Category, f.Class, f.Code, f.Enhanced, f.HintAt(failure.Test(), t.Language)
	if busy, ok := errors.AsType[*failure.Busy](f); ok {
		r.Reply = busy.Error()
	} else if t.Who.Role == redisstore.Operator {
		r.Reply = cmp.Or(netguard.Detail(f), f.Diagnostic)
	}
	if sub.stored && f.NeedsPerson() {
		return s.breaker.Park(ctx, sub.account.ID(), sub.account.Fingerprint(), f)
	}
	return nil
}

// messageID is a new one, of the sender's domain.
func messageID(sender string) string {
	return "<" + strings.ToLower(rand.Text()) + "@" + idn.Name(sender) + ">"
}

func testMessage(t *Try, r *Result, now time.Time) *rohrpost.Message {
	w := testWords[words.Language(t.Language)]
	at := now.Format("2006-01-02 15:04:05 MST")
	return &rohrpost.Message{
		To: []rohrpost.Address{t.To}, Origin: rohrpost.Manual, Subject: w.subject,
		Text: fmt.Sprintf(w.text, r.Account, r.Host, r.From, r.ReplyTo, at),
		HTML: fmt.Sprintf(w.html, htmlEscape(r.Account), htmlEscape(r.Host), htmlEscape(r.From), htmlEscape(r.ReplyTo), at),
	}
}

// Examine has the doctor look at an account's server, with stored or unsaved
// settings; it sends no mail, and asks for a recipient only if one is named. What a
// success or a refused login means for stored settings, and the error, are as in
// TestMail.
func (s *Service) Examine(ctx context.Context, t Try) (doctor.Report, error) {
	sub, err := s.subject(ctx, &t)
	if err != nil {
		return doctor.Report{}, err
	}
	if t.To.Address != "" {
		if t.To, err = t.recipient(sub.known); err != nil {
			return doctor.Report{}, err
		}
	}
	sender := resolver.Through(sub.account, sub.rest, resolver.Request{Tenant: t.Place.Tenant, User: rohrpost.User{ID: t.Place.User}})
	c := &checker{service: s, account: sub.account}
	examiner, err := doctor.New(doctor.Options{Checker: c, Now: s.now})
	if err != nil {
		return doctor.Report{}, err
	}
	server := s.route.Server(sub.account)
	if sub.account.Transport() != resolver.ViaSMTP {
		server = smtp.Server{Host: sub.account.Host()}
	}
	begin := time.Now()
	report := examiner.Examine(ctx, doctor.Request{
		Server: server, From: sender.ReversePath, To: t.To.Address, Language: t.Language,
		Operator: t.Who.Role == redisstore.Operator, Guarded: !sub.account.Trusted, Seen: t.Seen,
	})
	report.Host = sub.account.Host()
	switch {
	case report.Hidden:
		even(ctx, begin)
	case !sub.stored, report.Verdict == doctor.Skipped:
	case report.Verdict != doctor.Failed:
		_, err = s.passed(ctx, &t, &sub)
	case c.failure != nil && c.failure.NeedsPerson():
		err = s.breaker.Park(ctx, sub.account.ID(), sub.account.Fingerprint(), c.failure)
	}
	return report, err
}

// passed notes that stored settings work: they are checked, and no longer parked.
func (s *Service) passed(ctx context.Context, t *Try, sub *subject) (checked bool, err error) {
	err = s.Release(ctx, t.Place)
	if s.store == nil || t.Place.Tenant == "" {
		return false, err
	}
	err = errors.Join(err, s.store.MarkChecked(ctx, t.Who, t.Place, sub.version))
	return err == nil, err
}

// checker asks the way by which the account's mails leave, and keeps the failure.
type checker struct {
	service *Service
	account *resolver.Account
	failure *failure.Failure
}

func (c *checker) Check(ctx context.Context, _ smtp.Server, o smtp.CheckOptions) []smtp.Step {
	steps := c.service.route.Check(ctx, c.account, o)
	for _, s := range steps {
		c.failure = cmp.Or(c.failure, s.Failure)
	}
	return steps
}

// even waits until whole seconds have passed since begin, so that the time of an
// answer does not tell what the answer conceals.
func even(ctx context.Context, begin time.Time) {
	timer := time.NewTimer(time.Second - time.Since(begin)%time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

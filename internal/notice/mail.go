package notice

import (
	"context"
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"golang.org/x/text/message"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

//go:embed mail.txt
var textSource string

//go:embed mail.html
var htmlSource string

var (
	textTemplate = texttemplate.Must(texttemplate.New("mail.txt").Parse(textSource))
	htmlTemplate = htmltemplate.Must(htmltemplate.New("mail.html").Parse(htmlSource))
)

// A view is what the templates show.
type view struct {
	Lang, Subject, Todo string
	Accounts            []accountView
	More                *accountView // nil: all are named
	Notes               []string
}

// An accountView is one account that does not work. Without Link it has Where.
type accountView struct{ Name, What, Hint, Link, LinkText, Where string }

// A writer puts one notice into words.
type writer struct {
	*Notifier
	*words
	print *message.Printer
}

// message is the mail that tells a tenant, or the operators, of accounts.
func (n *Notifier) message(ctx context.Context, tenant string, what *notice) rohrpost.Message {
	w := writer{Notifier: n, words: wordsIn(n.options.Language)}
	w.print = message.NewPrinter(w.tag)
	v := view{Lang: w.lang, Todo: w.todo, Notes: []string{w.goOn}}
	names := make([]string, len(what.Faults))
	for i, f := range what.Faults {
		place, _ := resolver.ParsePlace(f.Account) // faultOf has parsed it
		var address string
		names[i], address = w.name(ctx, place)
		account := w.about(f, place)
		account.Name = names[i]
		if address != "" {
			account.Name, names[i] = names[i]+" ("+address+")", address
		}
		v.Accounts = append(v.Accounts, account)
		if place.Tenant == "" && f.Kind != breaker.Settings {
			v.Notes = append(v.Notes, w.own)
		}
	}
	if what.More > 0 {
		v.More = &accountView{What: w.print.Sprintf(w.more, what.More), Link: w.link(list(tenant)), LinkText: w.moreLink}
	}
	if !what.Next.IsZero() {
		v.Notes = append(v.Notes, fmt.Sprintf(w.last, w.at(what.Next)))
	}
	v.Notes = append(v.Notes, w.program)
	v.Subject = w.subjectOf(what, names[0])
	m := rohrpost.Message{ID: what.ID, Origin: rohrpost.Automatic, Category: rohrpost.Transactional, Subject: v.Subject}
	var asText, asHTML strings.Builder
	_ = textTemplate.Execute(&asText, v) // neither writer fails, and the view has all fields
	_ = htmlTemplate.Execute(&asHTML, v)
	m.Text, m.HTML = asText.String(), asHTML.String()
	return m
}

// subjectOf names the first account if it is the only one. What stops mails goes before
// what delays them.
func (w *writer) subjectOf(what *notice, first string) string {
	kind := slices.MinFunc(what.Faults, func(a, b fault) int { return a.rank() - b.rank() }).Kind
	if n := len(what.Faults) + what.More; n > 1 {
		return w.print.Sprintf(w.subjects[kind], n)
	}
	return fmt.Sprintf(w.subject[kind], first)
}

// name is what people call an account, and its address if that is known.
func (w *writer) name(ctx context.Context, p resolver.Place) (name, address string) {
	switch p.Level() {
	case resolver.Tenant:
		name = fmt.Sprintf(w.tenant, p.Tenant)
	case resolver.User:
		name = fmt.Sprintf(w.user, p.User)
	default:
		name = w.platform
	}
	if a := w.Notifier.account(ctx, p); a != nil {
		address = a.Address
	}
	return name, address
}

// about is what is said of one account.
func (w *writer) about(f fault, p resolver.Place) accountView {
	v := accountView{What: fmt.Sprintf(w.what[f.Kind], w.at(f.Since)), Hint: failure.Hint(f.Rule, w.lang)}
	switch {
	case f.Waiting == 1:
		v.What += " " + w.waits
	case f.Waiting > 1:
		v.What += " " + w.print.Sprintf(w.wait, f.Waiting)
	}
	v.Link, v.LinkText, v.Where = w.link(page(p)), w.open, w.wherePlatform
	if p.Tenant != "" {
		v.Where = fmt.Sprintf(w.where, p.Tenant)
	}
	return v
}

// at is a time as people write it, with its zone.
func (w *writer) at(t time.Time) string { return t.In(w.options.Zone).Format(w.time) }

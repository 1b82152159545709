package mailpages

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/producer"
)

// A mailPage is one mail as its template has it.
type mailPage struct {
	*mails.Mail
	Fault     string // why the last thing was not done, in English
	Field     string // whose fault it is: "at" or "corrected"; empty: no field's
	At        string // as entered
	Failed1   string // the recipient that was picked
	Corrected string // as entered
	Zone      *time.Location
}

// Live reports whether the mail may change by itself: the page follows it.
func (v mailPage) Live() bool { return !v.State.Final() }

// Path is the rest of the address of a mail's page.
func (mailPage) Path(id string) string { return "/mails/" + url.PathEscape(id) }

// Sealed reports whether only workers can read the mail, and Gone whether nobody can any
// more: then none of them goes to a corrected address.
func (v mailPage) Sealed() bool { return errors.Is(v.Uncorrectable, producer.ErrSealed) }

// Gone is the other one of the two.
func (v mailPage) Gone() bool { return errors.Is(v.Uncorrectable, producer.ErrContentGone) }

// Reply is what a server has said, as far as it is known: "550 5.1.1 User unknown". Most
// servers say the enhanced status code (RFC 3463) in their text, too.
func (mailPage) Reply(code int, enhanced, diagnostic string) string {
	var words []string
	if code > 0 {
		words = append(words, strconv.Itoa(code))
	}
	if enhanced != "" && !strings.HasPrefix(diagnostic, enhanced) {
		words = append(words, enhanced)
	}
	return strings.TrimSpace(strings.Join(append(words, diagnostic), " "))
}

// Acts reports whether there is anything to do.
func (v mailPage) Acts() bool { return v.CanRetry || v.CanCancel || v.CanPutOff || len(v.Failed) > 0 }

func (p *Pages) mail(w http.ResponseWriter, r *http.Request, who signin.Person) {
	p.showMail(w, r, who, http.StatusOK, mailPage{})
}

// showMail shows a mail as it is now, with what somebody has just entered wrongly.
func (p *Pages) showMail(w http.ResponseWriter, r *http.Request, who signin.Person, status int, v mailPage) {
	tenant, _ := ui.TenantOf(r)
	m, err := p.mails.Get(r.Context(), tenant, r.PathValue("id"))
	switch {
	case errors.Is(err, mails.ErrNotFound):
		p.show(w, r, who, http.StatusNotFound, "none", p.set.Say(r, who, "area_mails"), r.PathValue("id"))
	case err != nil:
		p.unavailable(w, r, who, err)
	default:
		v.Mail, v.Zone = m, p.ui.Zone(r, who)
		p.show(w, r, who, status, "mail", p.set.Say(r, who, "mail_title", m.ID), v)
	}
}

package mailpages_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestPathOfAnyID: a click in the list leads to the mail, whatever its application has called
// it, also behind a proxy that has written its slashes plainly.
func TestPathOfAnyID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"invoice/4711", "all/cancel", "a//b", "a/../b", "kunde@example.org", "a+b=c", "a~b:c"} {
		s := open(t, producer.Options{})
		s.send(func(m *rohrpost.Message) { m.ID = id })
		link := regexp.MustCompile(`href="(/t/acme/mails/[^"?]*)"><time`).FindStringSubmatch(s.page("anna", "/t/acme/mails"))
		if link == nil {
			t.Fatalf("%s: no link in the list", id)
		}
		path := strings.ReplaceAll(link[1], "&#43;", "+")
		s.want(s.page("anna", path), "kunde@example.org")
		if plain, err := url.PathUnescape(path); err == nil && id == "invoice/4711" {
			s.want(s.page("anna", plain), "kunde@example.org")
		}
		status, body, to := s.ask("anna", path, url.Values{"do": {"cancel"}})
		if status != http.StatusSeeOther || to != "/t/acme/mails/"+url.PathEscape(id)+"?done=cancel" {
			t.Errorf("%s: %d, %s\n%.300s", id, status, to, body)
			continue
		}
		if st, err := s.mail.Status(t.Context(), id); err != nil || st.State != rohrpost.Canceled {
			t.Errorf("%s: %+v, %v", id, st, err)
		}
	}
}

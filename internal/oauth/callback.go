package oauth

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/rohrpost/rohrpost/internal/failure"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// A view is what the page shows: texts of our own, and an address.
type view struct {
	Lang, Title, Text string
	Connected         bool
}

// ErrNoSignIn says that a redirect belongs to no sign-in that is under way.
var ErrNoSignIn = errors.New("this sign-in is unknown, was used already, or took more than ten minutes: start it again")

// Complete ends the sign-in to which a redirect belongs, and answers whose mailbox it
// is. The error is ErrNoSignIn, or the *failure.Failure of the sign-in; any other says
// that the connection is not stored.
type Complete func(context.Context, Redirect) (mailbox string, err error)

// ServeHTTP is the redirect endpoint: it shows a page with the result. Nothing that the
// request or a server says is shown but the mailbox's address.
func (complete Complete) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	say := english()
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "de") {
		say = german()
	}
	ctx := context.WithoutCancel(r.Context()) // a code is good once: a browser that leaves must not waste it
	mailbox, err := complete(ctx, ParseRedirect(r.URL.Query()))
	refused, isRefused := errors.AsType[*failure.Failure](err)
	switch {
	case errors.Is(err, ErrNoSignIn):
		show(w, http.StatusBadRequest, view{Lang: say.lang, Title: say.failed, Text: say.unknown})
	case isRefused:
		show(w, http.StatusBadRequest, view{Lang: say.lang, Title: say.failed, Text: refused.HintAt(failure.Test(), say.lang)})
	case err != nil:
		show(w, http.StatusInternalServerError, view{Lang: say.lang, Title: say.failed, Text: say.notStored})
	default:
		show(w, http.StatusOK, view{Lang: say.lang, Title: say.connected, Text: strings.TrimSpace(mailbox + " " + say.close), Connected: true})
	}
}

func show(w http.ResponseWriter, status int, v view) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the code stands in the address
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = page.Execute(w, v) // the browser has left
}

// texts of the page.
type texts struct{ lang, connected, failed, close, unknown, notStored string }

func english() texts {
	return texts{
		lang: "en", connected: "Connected", failed: "Not connected", close: "You can close this window.",
		unknown:   "This sign-in is unknown, was used already, or took more than ten minutes. Start it again.",
		notStored: "The mailbox agreed, but the connection could not be stored. Start again in a moment.",
	}
}

func german() texts {
	return texts{
		lang: "de", connected: "Verbunden", failed: "Nicht verbunden", close: "Sie können dieses Fenster schließen.",
		unknown:   "Diese Anmeldung ist unbekannt, wurde schon verwendet oder hat länger als zehn Minuten gedauert. Bitte neu beginnen.",
		notStored: "Das Postfach hat zugestimmt, aber die Verbindung konnte nicht gespeichert werden. Bitte gleich noch einmal beginnen.",
	}
}

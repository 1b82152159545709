package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message/mail"
)

//go:embed mails.html mail.html style.css
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "mails.html", "mail.html"))

// policy keeps a mail's HTML from loading or running anything.
const policy = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; frame-ancestors 'self'; sandbox allow-same-origin"

// Handler shows the mails, below the path prefix that it is mounted at
// ("/mails/").
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "style.css") })
	mux.HandleFunc("GET /{number}", s.show)
	mux.HandleFunc("GET /{number}/raw", s.raw)
	mux.HandleFunc("GET /{number}/html", s.html)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// view is a mail as the pages show it.
type view struct {
	Mail
	From, To, Cc, Subject string
	Text, HTML            string
	Files                 []file
}

type file struct {
	Name string
	Type string
	Size int
}

func (s *Server) list(w http.ResponseWriter, _ *http.Request) {
	mails := s.Mails()
	views := make([]view, 0, len(mails))
	for _, m := range slices.Backward(mails) {
		views = append(views, parse(m))
	}
	render(w, "mails.html", views)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	if m, ok := s.find(w, r); ok {
		render(w, "mail.html", parse(m))
	}
}

func (s *Server) raw(w http.ResponseWriter, r *http.Request) {
	if m, ok := s.find(w, r); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(m.Raw)
	}
}

func (s *Server) html(w http.ResponseWriter, r *http.Request) {
	if m, ok := s.find(w, r); ok {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, parse(m).HTML)
	}
}

func (s *Server) find(w http.ResponseWriter, r *http.Request) (Mail, bool) {
	number, err := strconv.Atoi(r.PathValue("number"))
	m, ok := s.Mail(number)
	if err != nil || !ok {
		http.NotFound(w, r)
		return Mail{}, false
	}
	return m, true
}

func render(w http.ResponseWriter, name string, data any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w)
}

// parse reads what can be read; a malformed mail still has its raw form.
func parse(m Mail) view {
	v := view{Mail: m}
	reader, err := mail.CreateReader(bytes.NewReader(m.Raw))
	if err != nil {
		return v
	}
	defer func() { _ = reader.Close() }()
	v.Subject, _ = reader.Header.Subject()
	v.From = addresses(reader.Header, "From")
	v.To = addresses(reader.Header, "To")
	v.Cc = addresses(reader.Header, "Cc")
	for {
		part, err := reader.NextPart()
		if err != nil {
			return v
		}
		content, err := io.ReadAll(part.Body)
		if err != nil {
			return v
		}
		switch h := part.Header.(type) {
		case *mail.InlineHeader:
			kind, _, _ := h.ContentType()
			switch {
			case kind == "text/plain" && v.Text == "":
				v.Text = string(content)
			case kind == "text/html" && v.HTML == "":
				v.HTML = string(content)
			default:
				v.Files = append(v.Files, file{Name: "inline", Type: kind, Size: len(content)})
			}
		case *mail.AttachmentHeader:
			kind, _, _ := h.ContentType()
			name, _ := h.Filename()
			v.Files = append(v.Files, file{Name: name, Type: kind, Size: len(content)})
		}
	}
}

func addresses(h mail.Header, field string) string {
	list, err := h.AddressList(field)
	if err != nil {
		return h.Get(field)
	}
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.Address
		if a.Name != "" {
			texts[i] = a.Name + " <" + a.Address + ">"
		}
	}
	return strings.Join(texts, ", ")
}

package accountpages

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
)

// previewPolicy is that of the sample mail alone, which is shown in a sandboxed frame of
// the page: its styles stand in its elements, as mail programs want them.
const previewPolicy = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// brandingData is what branding.html shows.
type brandingData struct {
	Path, PreviewPath string
	Version           int64
	Fields            []field
	Faults            []fault
	Error             string
	Conflict          []change
	Done              string
	HasLogo           bool
	Fixed             string
}

// branding shows a tenant's look.
func (s *Pages) branding(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	if place.Tenant == "" {
		s.UI.Redirect(w, r, pathOf(place))
		return
	}
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	d := &brandingData{Version: v.Version, Done: doneKey(r.URL.Query().Get("done"))}
	s.showBranding(w, r, p, http.StatusOK, d, v.Entry.Branding, nil)
}

func (s *Pages) showBranding(w http.ResponseWriter, r *http.Request, p signin.Person, status int, d *brandingData, look *resolver.Branding, errs []*rohrpost.FieldError) {
	place := placeOf(r)
	if look == nil {
		look = &resolver.Branding{}
	}
	d.Fixed = s.fixed()
	b := newBuilder(s.UI.Language(r, p), "", d.Fixed != "", errs)
	logo := b.field("file", "branding.logo", "")
	d.HasLogo = len(look.Logo) > 0
	d.Fields = []field{
		b.check("branding.enabled", look.Enabled), b.text("branding.company", look.Company, ""), logo,
		b.text("branding.logo_alt", look.LogoAlt, look.Company), b.field("number", "branding.logo_width", numberOrNone(look.LogoWidth)),
		b.text("branding.colors.accent", look.Colors.Accent, "#0b5cad"), b.text("branding.colors.background", look.Colors.Background, "#f2f4f7"),
		b.text("branding.colors.card", look.Colors.Card, "#ffffff"), b.text("branding.colors.text", look.Colors.Text, "#1f2933"),
		b.text("branding.colors.footer", look.Colors.Footer, ""), b.field("textarea", "branding.footer.lines", strings.Join(look.Footer.Lines, "\n")),
		b.text("branding.footer.link", look.Footer.Link, "https://"), b.text("branding.footer.link_text", look.Footer.LinkText, ""),
	}
	d.Faults = b.faults(errs, d.Fields)
	d.Path, d.PreviewPath = "/branding", "/branding/preview"
	s.set.Render(w, r, p, status, "branding", s.page(p, place, "branding", s.set.Say(r, p, "branding"), d))
}

// maxLook bounds a form with a logo, in bytes.
const maxLook = 2 << 20

// readLook is what somebody has sent: the stored look with the form's fields in place of
// its own. The error joins a *rohrpost.FieldError each.
func readLook(w http.ResponseWriter, r *http.Request, stored *resolver.Branding) (*resolver.Branding, error) {
	look := resolver.Branding{}
	if stored != nil {
		look.Logo = stored.Logo
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLook)
	if err := r.ParseMultipartForm(maxLook); err != nil && !errors.Is(err, http.ErrNotMultipart) { //nolint:gosec // bounded above
		return stored, &rohrpost.FieldError{Field: "branding.logo", Problem: "must have at most 256 KiB"}
	}
	var errs []error
	form := r.PostForm
	look.Enabled, look.Company, look.LogoAlt = form.Get("branding.enabled") != "", entered(form, "branding.company"), entered(form, "branding.logo_alt")
	look.Colors = resolver.BrandingColors{
		Background: entered(form, "branding.colors.background"), Card: entered(form, "branding.colors.card"), Text: entered(form, "branding.colors.text"),
		Accent: entered(form, "branding.colors.accent"), Footer: entered(form, "branding.colors.footer"),
	}
	look.Footer = resolver.BrandingFooter{Link: entered(form, "branding.footer.link"), LinkText: entered(form, "branding.footer.link_text")}
	for text := range strings.Lines(entered(form, "branding.footer.lines")) {
		look.Footer.Lines = append(look.Footer.Lines, strings.TrimSpace(text))
	}
	if width := entered(form, "branding.logo_width"); width != "" {
		n, err := strconv.Atoi(width)
		if err != nil {
			errs = append(errs, &rohrpost.FieldError{Field: "branding.logo_width", Problem: "must be a whole number of pixels"})
		}
		look.LogoWidth = n
	}
	if form.Get("no_logo") != "" {
		look.Logo = nil
	}
	if file, _, err := r.FormFile("branding.logo"); err == nil {
		defer func() { _ = file.Close() }()
		content, err := io.ReadAll(file)
		if err != nil {
			errs = append(errs, &rohrpost.FieldError{Field: "branding.logo", Problem: "cannot be read"})
		}
		if len(content) > 0 {
			look.Logo = content
		}
	}
	return &look, errors.Join(errs...)
}

// saveBranding stores the look.
func (s *Pages) saveBranding(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	look, err := readLook(w, r, v.Entry.Branding)
	d := &brandingData{Version: v.Version}
	if n, numberErr := strconv.ParseInt(r.PostForm.Get("version"), 10, 64); numberErr == nil {
		d.Version = n
	}
	if err == nil {
		_, err = s.Accounts.Save(r.Context(), accounts.Edit{
			Who: p.Actor(), Place: place, Version: d.Version, Part: []string{"branding"}, Apply: func(e *resolver.Entry) { e.Branding = look },
		})
	}
	if err == nil {
		s.done(w, r, ui.TenantPath(place.Tenant, "/branding"), "saved")
		return
	}
	told := s.problemOf(w, r, p, err)
	d.Error = told.text
	d.Conflict, d.Version = s.conflictOf(r, p, err, d.Version)
	s.showBranding(w, r, p, told.status, d, look, told.fields)
}

// preview is a sample mail in the stored look, or in one that was sent and is not
// stored.
func (s *Pages) preview(w http.ResponseWriter, r *http.Request, p signin.Person) {
	h := w.Header()
	h.Set("Content-Security-Policy", previewPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	v, err := s.Accounts.Look(r.Context(), p.Actor(), placeOf(r))
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	look := v.Entry.Branding
	if v.Fixed != nil { // a file may name the file of a logo, which was read
		var c resolver.Candidates
		c, err = s.Accounts.Accounts(r.Context(), v.Place.Tenant, "")
		look = c.Branding
	}
	if r.Method == http.MethodPost {
		look, err = readLook(w, r, look)
	}
	if look == nil {
		look = &resolver.Branding{}
	}
	var page bytes.Buffer
	if err == nil {
		err = compose.Look(look).Preview(&page, s.UI.Language(r, p))
	}
	if err != nil {
		told := s.problemOf(w, r, p, err)
		lang := s.UI.Language(r, p)
		for _, f := range told.fields {
			told.text += words.Field(lang, "branding."+strings.TrimPrefix(f.Field, "branding.")) + ": " + words.Sentence(lang, f.Problem) + "\n"
		}
		s.set.Render(w, r, p, told.status, "preview", ui.Page{Data: told.text})
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w)
}

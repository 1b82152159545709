package problempages

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// exportTime is how long a download may take: one that is read slowly holds a place
// that others wait for.
const exportTime = 10 * time.Minute

// export streams the log as a file, with times in the zone of the person. Parameters:
// those of the log, format=jsonl|csv|text (jsonl), order=oldest|newest (newest).
func (s *Pages) export(w http.ResponseWriter, r *http.Request, p signin.Person) {
	q := s.question(r, p)
	format := cmp.Or(errorlog.Format(r.FormValue("format")), errorlog.JSONL)
	order := cmp.Or(r.FormValue("order"), "newest")
	known := []errorlog.Format{errorlog.JSONL, errorlog.CSV, errorlog.Text}
	if !slices.Contains(known, format) || order != "newest" && order != "oldest" {
		s.ui.Problem(w, r, p, http.StatusBadRequest, "bad_request")
		return
	}
	back, err := s.turns.take(p)
	if err != nil {
		s.unread(w, r, p, err)
		return
	}
	defer back()
	filter := q.filter
	filter.OldestFirst = order == "oldest"
	h := w.Header()
	h.Set("Content-Type", format.MediaType())
	h.Set("Content-Disposition", `attachment; filename="`+fileName(q.tenantName(), s.options.Now(), format.Extension())+`"`)
	out := &stream{w: w, control: http.NewResponseController(w), pieceTime: s.options.PieceTime}
	ctx, cancel := context.WithTimeout(r.Context(), exportTime)
	defer cancel()
	_, err = s.options.ErrorLog.Export(ctx, out, filter, format, s.ui.Language(r, p))
	if err == nil {
		return
	}
	if out.begun {
		if r.Context().Err() == nil {
			s.options.Logger.Error().Err(err).Msg("web: export")
		}
		panic(http.ErrAbortHandler) // else half a log would look like a whole one
	}
	h.Del("Content-Disposition")
	s.unread(w, r, p, err)
}

// fileName is rohrpost-errors-acme-20260102T150405Z.csv. What a file system or a
// header might stumble over becomes a hyphen.
func fileName(tenant string, at time.Time, extension string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, tenant)
	if len(safe) > 64 {
		safe = safe[:64]
	}
	return "rohrpost-errors-" + safe + "-" + at.UTC().Format("20060102T150405Z") + extension
}

// A stream gives each piece of a download a deadline of its own, in place of one
// for the whole.
type stream struct {
	w         io.Writer
	control   *http.ResponseController
	pieceTime time.Duration
	begun     bool
}

func (s *stream) Write(b []byte) (int, error) {
	// Not every writer has deadlines (a recorder in tests has none).
	_ = s.control.SetWriteDeadline(time.Now().Add(s.pieceTime))
	s.begun = true
	return s.w.Write(b)
}

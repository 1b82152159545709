package accountpages

import (
	"net/http"
	"slices"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
)

// explained is an answer to who would send a mail.
type explained struct {
	Origin, Category string
	resolver.Explanation
	Error string // nobody would
}

// explainData is what explain.html shows.
type explainData struct {
	Tenant, User, Origin, Category, From string
	Origins, Categories                  []string
	Answer                               *explained
	FromWrong                            string
}

// explain answers who would send a mail, and why.
func (s *Pages) explain(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place, q := placeOf(r), r.URL.Query()
	d := explainData{
		Tenant: place.Tenant, User: entered(q, "user"), Origin: q.Get("origin"), Category: q.Get("category"), From: entered(q, "from"),
		Origins:    []string{string(rohrpost.Manual), string(rohrpost.Automatic)},
		Categories: []string{string(rohrpost.Transactional), string(rohrpost.Marketing)},
	}
	if !slices.Contains(d.Origins, d.Origin) {
		d.Origin = d.Origins[0]
	}
	if !slices.Contains(d.Categories, d.Category) {
		d.Category = d.Categories[0]
	}
	if q.Has("origin") {
		req := resolver.Request{
			Tenant: place.Tenant, User: rohrpost.User{ID: d.User}, Origin: rohrpost.Origin(d.Origin), Category: rohrpost.Category(d.Category),
		}
		var err error
		if d.From != "" {
			req.From, err = rohrpost.ParseAddress(d.From)
		}
		if err != nil {
			d.FromWrong = words.Sentence(s.UI.Language(r, p), err.Error())
		} else {
			answer := s.answer(r, p, req)
			d.Answer = &answer
		}
	}
	s.set.Render(w, r, p, http.StatusOK, "explain", s.page(p, place, "accounts", s.set.Say(r, p, "explain"), d))
}

// whoSends answers for a place: for its user, or for the tenant's programs.
func (s *Pages) whoSends(r *http.Request, p signin.Person, place resolver.Place) []explained {
	var out []explained
	for _, origin := range []rohrpost.Origin{rohrpost.Manual, rohrpost.Automatic} {
		out = append(out, s.answer(r, p, resolver.Request{
			Tenant: place.Tenant, User: rohrpost.User{ID: place.User}, Origin: origin, Category: rohrpost.Transactional,
		}))
	}
	return out
}

func (s *Pages) answer(r *http.Request, p signin.Person, req resolver.Request) explained {
	out := explained{Origin: string(req.Origin), Category: string(req.Category)}
	e, err := s.Accounts.Explain(r.Context(), p.Actor(), req, s.UI.Language(r, p))
	if err != nil {
		out.Error = s.problemOf(nopHeader{}, r, p, err).text
		return out
	}
	out.Explanation = e
	return out
}

// nopHeader is for a problem that is a part of a page.
type nopHeader struct{ http.ResponseWriter }

func (nopHeader) Header() http.Header { return http.Header{} }

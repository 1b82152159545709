package accountpages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// maxForm bounds what a form brings, in bytes.
const maxForm = 1 << 20

// changesShown is how many lines of its history a place shows.
const changesShown = 20

// accountData is what account.html shows.
type accountData struct {
	accounts.View
	Path      string // of this page
	Level     resolver.Level
	MayChange bool // edit, delete, release
	MayTry    bool
	Providers []resolver.Preset // to choose one
	Preset    resolver.Preset
	Note      string // what to know before at this provider
	Provider  string
	Choosing  bool // the provider is asked for first
	Ticked    bool
	Sections  []section
	Version   int64
	To        string // recipient of the test mail
	Faults    []fault
	Error     string
	Conflict  []change
	Result    *accounts.Result
	Report    *doctor.Report
	Unsaved   bool // the result is of settings that are not stored
	Connect   *connectData
	Who       []explained // who would send for this place
	History   []change
	Done      string // key of what was done

	FixedKey    string   // of why nothing can be edited; empty: it can
	BarredKey   string   // of why this person may not enter an account now; empty: they may
	ShowForm    bool     // with the fields
	ReadOnly    bool     // the fields are for reading
	OAuth       bool     // OAuth2 is in use, and goes before the server
	Kept        bool     // the password that was entered is kept until it is saved
	SecretAgain bool     // a password was entered, and is not shown again
	ToWrong     string   // what is wrong with the recipient
	Advice      []string // warnings, in the person's language
}

// account shows a place.
func (s *Pages) account(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	if place.Tenant == "" && r.URL.Path != pathOf(place) {
		s.UI.Redirect(w, r, pathOf(place))
		return
	}
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	q := r.URL.Query()
	f := stored(place.Level(), v.Version, &v.Entry, q.Get("provider"))
	d := accountData{Done: doneKey(q.Get("done")), Choosing: q.Has("choose") || v.Entry.Account == nil && q.Get("provider") == ""}
	s.show(w, r, p, http.StatusOK, &v, f, &d, nil)
}

// show renders a place with a form.
func (s *Pages) show(w http.ResponseWriter, r *http.Request, p signin.Person, status int, v *accounts.View, f *form, d *accountData, errs []*rohrpost.FieldError) {
	lang, place := s.UI.Language(r, p), v.Place
	t := func(key string, args ...any) string { return s.set.Say(r, p, key, args...) }
	mayEnter := v.Fixed == nil && v.Barred == nil
	b := newBuilder(lang, f.provider(), !mayEnter, errs)
	d.View, d.Path, d.Level, d.Version = *v, pathOf(place), place.Level(), f.version
	d.MayChange = v.Fixed == nil && !errors.Is(v.Barred, redisstore.ErrForbidden)
	d.MayTry = redisstore.MayTry(p.Actor(), place) == nil && !errors.Is(v.Barred, redisstore.ErrLocked)
	d.Ticked, d.Provider, d.Providers = f.ticked() && place.Tenant != "", f.provider(), resolver.Presets()
	d.Preset, _ = resolver.PresetByID(f.provider())
	d.Note = d.Preset.Note.English
	if lang == "de" {
		d.Note = d.Preset.Note.German
	}
	d.Kept = mayEnter && s.keep(w, r, p, place, f)
	d.OAuth = v.Entry.Account != nil && v.Entry.Account.OAuth2 != nil
	d.Sections = f.sections(b, t, v.Secrets, d)
	var shown []field
	for _, section := range d.Sections {
		shown = append(shown, section.Fields...)
	}
	if mayEnter && !d.Choosing {
		if d.Connect = s.connectable(r, v, f, b); d.Connect != nil {
			shown = append(shown, d.Connect.Endpoints.Fields...)
		}
	}
	d.Faults = b.faults(errs, shown)
	if d.To == "" {
		d.To = p.Address
	}
	d.explainState(s, lang, v, f, b)
	d.Who = s.whoSends(r, p, place)
	d.History = s.history(r, p, place, lang)
	title := t("title_place_" + string(place.Level()))
	if place.User != "" {
		title = t("title_place_user", place.User)
	}
	s.set.Render(w, r, p, status, "account", s.page(p, place, "accounts", title, d))
}

// explainState fills in what follows from the state of the place.
func (d *accountData) explainState(s *Pages, lang string, v *accounts.View, f *form, b *builder) {
	if v.Fixed != nil {
		d.FixedKey = s.fixed()
	}
	for _, known := range knownProblems() {
		if v.Barred != nil && errors.Is(v.Barred, known.is) {
			d.BarredKey = known.key
		}
	}
	d.ReadOnly = b.readOnly
	d.Choosing = d.Choosing && !d.ReadOnly
	d.ShowForm = !d.Choosing && (v.Account || !d.ReadOnly) && !errors.Is(v.Fixed, accounts.ErrOwn)
	d.SecretAgain = !d.Kept && !f.password().IsZero()
	d.ToWrong = b.wrong["to"]
	d.Advice = words.Sentences(lang, v.Warnings)
}

// act does what a button of a place's page asks for.
func (s *Pages) act(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.badForm(w, r, p)
		return
	}
	ctx, who := r.Context(), p.Actor()
	switch r.PostForm.Get("do") {
	case "save":
		s.save(w, r, p)
	case "test", "doctor":
		s.try(w, r, p)
	case "connect":
		s.connect(w, r, p)
	case "disconnect":
		s.then(w, r, p, "disconnected", s.disconnect(ctx, who, place, r.PostForm))
	case "delete":
		version := parsed(place.Level(), r.PostForm).version
		s.then(w, r, p, "deleted", s.Accounts.Delete(ctx, who, place, version))
	case "release":
		err := s.Trier.Admit(ctx, who, place)
		if err == nil {
			err = s.audited(r, p, audit.Release, place, func() error { return s.Trier.ReleaseBy(ctx, who, place) })
		}
		s.then(w, r, p, "released", err)
	default:
		s.badForm(w, r, p)
	}
}

// then leads back to the place's page, or shows it with the error.
func (s *Pages) then(w http.ResponseWriter, r *http.Request, p signin.Person, key string, err error) {
	place := placeOf(r)
	if err == nil {
		s.done(w, r, pathOf(place), key)
		return
	}
	v, lookErr := s.Accounts.Look(r.Context(), p.Actor(), place)
	if lookErr != nil {
		s.refuse(w, r, p, lookErr)
		return
	}
	s.failed(w, r, p, &v, stored(place.Level(), v.Version, &v.Entry, ""), &accountData{}, err)
}

// failed shows a place with what went wrong.
func (s *Pages) failed(w http.ResponseWriter, r *http.Request, p signin.Person, v *accounts.View, f *form, d *accountData, err error) {
	told := s.problemOf(w, r, p, err)
	d.Error = told.text
	d.Conflict, f.version = s.conflictOf(r, p, err, f.version) // saving again is a decision
	s.show(w, r, p, told.status, v, f, d, told.fields)
}

// save stores what was entered.
func (s *Pages) save(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	f := parsed(place.Level(), r.PostForm)
	edit := f.edit(p.Actor(), place)
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	err = s.recall(r, p, place, f)
	s.bound(place, f)
	switch {
	case err != nil:
	case len(f.errs) > 0:
		err = errors.Join(asErrors(f.errs), s.Accounts.Check(r.Context(), edit))
	default:
		_, err = s.Accounts.Save(r.Context(), edit)
	}
	if err != nil {
		s.failed(w, r, p, &v, f, &accountData{}, err)
		return
	}
	s.done(w, r, pathOf(place), "saved")
}

// edit is what the form changes.
func (f *form) edit(who redisstore.Actor, place resolver.Place) accounts.Edit {
	return accounts.Edit{Who: who, Place: place, Version: f.version, Part: f.part(), Apply: f.apply}
}

// changes reports whether the form differs from what is stored.
func (f *form) changes(stored *resolver.Entry) bool {
	now := *stored
	now.Account = stored.Account.Clone()
	f.apply(&now)
	if now.Account != nil && stored.Account != nil && len(now.Account.Aliases)+len(stored.Account.Aliases) == 0 {
		now.Account.Aliases = stored.Account.Aliases
	}
	return !reflect.DeepEqual(now, *stored)
}

func asErrors(fields []*rohrpost.FieldError) error {
	errs := make([]error, len(fields))
	for i, f := range fields {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// disconnect takes OAuth2 out of an account.
func (s *Pages) disconnect(ctx context.Context, who redisstore.Actor, place resolver.Place, values url.Values) error {
	edit := parsed(place.Level(), values).edit(who, place)
	edit.Part = []string{"account.oauth2"}
	edit.Apply = func(e *resolver.Entry) {
		if e.Account != nil {
			e.Account.OAuth2 = nil
		}
	}
	_, err := s.Accounts.Save(ctx, edit)
	return err
}

// audited does what an operator decides, with a line in the operators' history. What
// others do stands in the history of the account alone.
func (s *Pages) audited(r *http.Request, p signin.Person, action audit.Action, place resolver.Place, do func() error) error {
	if !p.Operator() {
		return do()
	}
	line, err := s.Audit.Begin(r.Context(), audit.Record{Who: p.Name, Source: audit.Pages, Remote: remoteOf(r), Action: action, Account: place.String()})
	if err != nil {
		return err
	}
	count := 1
	if err = do(); err != nil {
		count = 0 // it was not done
	}
	if err := line.Done(r.Context(), count); err != nil {
		s.Logger.Warn().Err(err).Msg("web: the operators' history does not say how it ended")
	}
	return err
}

// A change is a line of a history.
type change struct {
	Time   time.Time
	Who    string
	Action string
	Place  resolver.Place
	Fields []fieldChange
}

type fieldChange struct{ Label, Old, New string }

// history is that of a place, as far as this person may see it.
func (s *Pages) history(r *http.Request, p signin.Person, place resolver.Place, lang string) []change {
	store, err := s.Accounts.Store()
	if err != nil {
		return nil
	}
	changes, err := store.HistoryOf(r.Context(), p.Actor(), place, changesShown)
	if err != nil {
		if !errors.Is(err, redisstore.ErrForbidden) {
			s.Logger.Warn().Err(err).Msg("web: accounts")
		}
		return nil
	}
	return changesOf(lang, changes)
}

// doneKey is the key of a text that says what was done; empty: it is none.
func doneKey(asked string) string {
	if slices.Contains([]string{"saved", "deleted", "released", "connected", "disconnected", "requested", "approved", "refused", "unlocked", "locked"}, asked) {
		return asked
	}
	return ""
}

// conflictOf is what others have changed, and the version that saving again replaces.
func (s *Pages) conflictOf(r *http.Request, p signin.Person, err error, version int64) ([]change, int64) {
	if conflict, ok := errors.AsType[*accounts.Conflict](err); ok {
		return changesOf(s.UI.Language(r, p), conflict.Changes), conflict.Version
	}
	return nil, version
}

package systempages

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

//go:embed assets
var assets embed.FS

// redisTimeout is how long a page waits for Redis.
const redisTimeout = 2 * time.Second

// Options of New. All but Logger are required.
type Options struct {
	Redis    redis.UniversalClient
	UI       *ui.UI
	Audit    *audit.Log
	Holds    *system.Holds
	Backlogs *system.Backlogs
	Checks   *system.Checks
	Logger   zerolog.Logger
}

// Pages are those of the area "system".
type Pages struct {
	options   Options
	words     *ui.Set
	inspector *queue.Inspector
	memory    *headroom.Gauge
}

// New reads the templates; it does no other I/O.
func New(o Options) (*Pages, error) {
	if o.Redis == nil || o.UI == nil || o.Audit == nil || o.Holds == nil || o.Backlogs == nil || o.Checks == nil {
		return nil, errors.New("web: the pages of the system lack a part")
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	words, err := o.UI.Set(files, texts())
	if err != nil {
		return nil, err
	}
	return &Pages{options: o, words: words, inspector: queue.NewInspector(o.Redis), memory: headroom.New(headroom.Options{Redis: o.Redis})}, nil
}

// Register serves the pages to operators.
func (p *Pages) Register(r ui.Router) {
	p.options.UI.AddArea(ui.Area{Key: "system", Path: "/system", Need: ui.Operator})
	r.Handle("GET /system", ui.Operator, p.overview)
	r.Handle("POST /system/queues/{queue}/{act}", ui.Operator, p.hold)
	r.Handle("GET /system/check", ui.Operator, p.check)
	r.Handle("POST /system/check", ui.Operator, p.start(false))
	r.Handle("GET /system/check/repair", ui.Operator, p.question)
	r.Handle("POST /system/check/repair", ui.Operator, p.start(true))
	r.Handle("GET /system/history", ui.Operator, p.history)
}

// A section is a page of the area in its own navigation. The text "section_<key>" is its
// name.
type section struct{ Key, Path string }

func sections() []section {
	return []section{{"overview", "/system"}, {"check", "/system/check"}, {"history", "/system/history"}}
}

// A shown page is in a section, and has what the template of the section shows.
type shown struct {
	Section  string
	Sections []section
	Of       any
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, who signin.Person, status int, name, section string, data any) {
	title := "section_" + section
	if name == "repair" {
		title = "repair_title"
	}
	p.words.Render(w, r, who, status, name, ui.Page{
		Title: p.words.Say(r, who, title), Area: "system", Data: shown{section, sections(), data},
	})
}

// fail says why something was not done; key picks the words.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, who signin.Person, status int, section, key string) {
	p.show(w, r, who, status, "failed", section, key)
}

// actor is who sends a request, as the operators' history has it.
func actor(r *http.Request, who signin.Person) audit.Record {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return audit.Record{Who: cmp.Or(who.Name, "this machine"), Source: audit.Pages, Remote: host}
}

// A part of a page was read, or Redis has not told it.
type part[T any] struct {
	Value  T
	Failed bool
}

// read asks for a part.
func read[T any](ctx context.Context, p *Pages, what string, into *part[T], ask func(context.Context) (T, error)) {
	value, err := ask(ctx)
	if err != nil {
		p.options.Logger.Warn().Err(err).Str("part", what).Msg("web: a part of the system's pages cannot be read")
	}
	*into = part[T]{value, err != nil}
}

package branding_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/chromiumtest"
)

var pictures = flag.String("pictures", "", "a folder to put pictures of the mails into")

//go:embed testdata/measure.html
var measure string

// measured is what testdata/measure.html finds in a frame of the given width.
type measured struct {
	Mail        string
	Width       float64 // of the frame
	ScrollWidth float64 // of the page in it
	Card        float64
	Header      float64
	Footer      float64
	Texts       []struct {
		Text     string
		Own      bool // of the mail, not of the frame around it
		Contrast float64
	}
	Loaded []string // addresses of what was fetched
}

// TestChromium looks at branded mails in a real browser.
func TestChromium(t *testing.T) {
	t.Parallel()
	mails := map[string]string{}
	for name, look := range looks(t) {
		var b bytes.Buffer
		if err := look.Preview(&b, "de"); err != nil {
			t.Fatal(err)
		}
		mails[name] = b.String()
	}
	all := looks(t)
	mails["newsletter"] = wrap(t, all["name"], newsletter)
	mails["newsletter at night"] = wrap(t, all["night"], newsletter)
	mails["too wide"] = wrap(t, all["name"], `<p>`+strings.Repeat("word", 100)+`</p><pre>`+strings.Repeat("code ", 100)+`</pre><div style="width:900px">wide</div><img src="data:," width="1200" height="10">`)
	mails["broken"] = wrap(t, all["name"], `</td></tr></table></div></body></html><table><tr><td><p>Hello <b>open`)
	mails["black on nothing"] = wrap(t, all["night"], `<body text="#222222"><p>Hello <a href="https://example.org/">link</a></p>`)
	mux := http.NewServeMux()
	for name, mail := range mails {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, mail) })
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, measure)
		for name := range mails {
			for _, width := range []int{800, 640, 360} {
				_, _ = fmt.Fprintf(w, `<iframe src="/%s" title="%s" style="width:%dpx"></iframe>`, html.EscapeString(name), html.EscapeString(name), width)
			}
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, scheme := range []string{"--blink-settings=preferredColorScheme=1", "--force-dark-mode"} {
		_, result, _ := strings.Cut(chromiumtest.Do(t, scheme, "--virtual-time-budget=8000", "--dump-dom", server.URL).Stdout, `<output>`)
		result, _, _ = strings.Cut(result, "</output>")
		var got []measured
		if err := json.Unmarshal([]byte(html.UnescapeString(result)), &got); err != nil || len(got) != 3*len(mails) {
			t.Fatalf("%d measured, %v, %.500s", len(got), err, result)
		}
		for _, m := range got {
			check(t, m)
		}
	}
	if *pictures != "" {
		for name := range mails {
			for _, width := range []string{"640", "360"} {
				file := filepath.Join(*pictures, strings.ReplaceAll(name, " ", "-")+"-"+width+".png")
				frame := server.URL + "/frame/" + width + "/" + name
				mux.HandleFunc("GET /frame/"+width+"/"+name, func(w http.ResponseWriter, _ *http.Request) {
					_, _ = fmt.Fprintf(w, `<body style="margin:0"><iframe src="/%s" style="border:0;width:%spx;height:900px"></iframe>`, html.EscapeString(name), width)
				})
				chromiumtest.Do(t, "--screenshot="+file, "--window-size="+width+",900", frame)
			}
		}
	}
}

func check(t *testing.T, m measured) {
	t.Helper()
	at := fmt.Sprintf("%s at %.0f px", m.Mail, m.Width)
	if m.ScrollWidth > m.Width {
		t.Errorf("%s: scrolls to %.0f px", at, m.ScrollWidth)
	}
	if want := min(600, m.Width-24); m.Card != want {
		t.Errorf("%s: the card has %.0f px, want %.0f", at, m.Card, want)
	}
	if m.Header > 600 || m.Footer > 600 {
		t.Errorf("%s: header %.0f px, footer %.0f px", at, m.Header, m.Footer)
	}
	if len(m.Texts) == 0 {
		t.Errorf("%s: no text", at)
	}
	for _, text := range m.Texts {
		if text.Contrast < 4.5 {
			t.Errorf("%s: %q has a contrast of %.2f", at, text.Text, text.Contrast)
		}
	}
	for _, address := range m.Loaded {
		if !strings.HasPrefix(address, "data:") {
			t.Errorf("%s: loads %s", at, address)
		}
	}
}

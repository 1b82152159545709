package rohrpost_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost"
)

const canary = "canary-hunter2"

type account struct {
	User     string
	Password rohrpost.Secret
	Pointer  *rohrpost.Secret
	hidden   rohrpost.Secret
	deep     struct{ list []rohrpost.Secret }
}

func newAccount() account {
	s := rohrpost.NewSecret(canary)
	a := account{User: "max", Password: s, Pointer: &s, hidden: s}
	a.deep.list = []rohrpost.Secret{s}
	return a
}

// forms are the canary as the verbs of fmt would write it.
func forms() []string {
	number := strings.Trim(fmt.Sprint([]byte(canary)), "[]")
	return []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary), number, fmt.Sprintf("%U", rune(canary[0]))}
}

func checkNotIn(t *testing.T, how, text string) {
	t.Helper()
	for _, f := range forms() {
		if strings.Contains(text, f) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
}

func TestSecretFmt(t *testing.T) {
	t.Parallel()
	s := rohrpost.NewSecret(canary)
	values := map[string]any{
		"value":   s,
		"pointer": &s,
		"struct":  newAccount(),
		"*struct": new(newAccount()),
		"slice":   []rohrpost.Secret{s},
		"map":     map[string]rohrpost.Secret{"a": s},
		"any":     []any{s, &s},
		"nested":  struct{ a account }{newAccount()},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%U", "%c", "%o", "%b", "%e", "%t", "%10.3s", "%T"} {
			checkNotIn(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		checkNotIn(t, name+" Sprint", fmt.Sprint(v))
		checkNotIn(t, name+" Sprintln", fmt.Sprintln(v, v))
		checkNotIn(t, name+" error", fmt.Errorf("login %v failed: %w", v, errors.New("no")).Error())
	}
	for verb, want := range map[string]string{
		"%v": "[redacted]", "%+v": "[redacted]", "%#v": "[redacted]", "%s": "[redacted]", "%x": "[redacted]", "%d": "[redacted]", "%q": `"[redacted]"`,
	} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s: %s, want %s", verb, got, want)
		}
		if got := fmt.Sprintf(verb, &s); got != want {
			t.Errorf("%s of a pointer: %s, want %s", verb, got, want)
		}
	}
}

func TestSecretEncoders(t *testing.T) {
	t.Parallel()
	type exported struct {
		Password rohrpost.Secret
		Pointer  *rohrpost.Secret
	}
	s := rohrpost.NewSecret(canary)
	v := exported{s, &s}
	for name, encode := range map[string]func() ([]byte, error){
		"json":         func() ([]byte, error) { return json.Marshal(v) },
		"yaml":         func() ([]byte, error) { return yaml.Marshal(v) },
		"yaml account": func() ([]byte, error) { return yaml.Marshal(newAccount()) },
		"xml":          func() ([]byte, error) { return xml.Marshal(v) },
		"template": func() ([]byte, error) {
			var b bytes.Buffer
			err := template.Must(template.New("").Parse("{{.}} {{.Password}} {{printf `%x` .Password}}")).Execute(&b, v)
			return b.Bytes(), err
		},
	} {
		got, err := encode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkNotIn(t, name, string(got))
		if !strings.Contains(string(got), "[redacted]") {
			t.Errorf("%s does not say that something is redacted: %s", name, got)
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err == nil {
		t.Error("gob would lose the secret and must refuse")
	}
	checkNotIn(t, "gob", b.String())
}

func TestSecretLoggers(t *testing.T) {
	t.Parallel()
	s := rohrpost.NewSecret(canary)
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).With("with", s).Info("login", "secret", s, "pointer", &s, "account", newAccount(), "group", slog.GroupValue(slog.Any("in", s)))
	}
	z := zerolog.New(&b)
	z.Info().Interface("secret", s).Any("account", newAccount()).Stringer("s", s).Str("t", s.String()).
		Fields(map[string]any{"f": s, "p": &s}).Errs("e", []error{fmt.Errorf("%v", s)}).Msgf("login %v %+v", s, newAccount())
	w := zerolog.New(zerolog.ConsoleWriter{Out: &b, NoColor: true})
	w.Info().Interface("secret", newAccount()).Msg("login")
	checkNotIn(t, "logger", b.String())
	if n := strings.Count(b.String(), "[redacted]"); n < 10 {
		t.Errorf("only %d places are redacted: %s", n, b.String())
	}
}

func TestSecretDiff(t *testing.T) {
	t.Parallel()
	a, b := newAccount(), newAccount()
	opt := cmp.AllowUnexported(account{}, struct{ list []rohrpost.Secret }{})
	if diff := cmp.Diff(a, b, opt); diff != "" {
		t.Errorf("equal secrets differ: %s", diff)
	}
	b.Password = rohrpost.NewSecret("other-hunter3")
	diff := cmp.Diff(a, b, opt)
	if diff == "" {
		t.Error("other secrets are equal")
	}
	checkNotIn(t, "cmp.Diff", diff)
}

func TestSecretRead(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"Password: " + canary, "Password: '" + canary + "'"} {
		var v struct {
			Password rohrpost.Secret `yaml:"Password"`
		}
		if err := yaml.Unmarshal([]byte(in), &v); err != nil || v.Password.Reveal() != canary {
			t.Errorf("%s: %v", in, err)
		}
	}
	var s rohrpost.Secret
	if err := json.Unmarshal([]byte(`"`+canary+`"`), &s); err != nil || s.Reveal() != canary {
		t.Errorf("JSON: %v", err)
	}
	if err := s.UnmarshalText([]byte("[redacted]")); !errors.Is(err, rohrpost.ErrRedacted) || s.Reveal() != canary {
		t.Errorf("what was printed must not be taken for the secret: %v", err)
	}
}

func TestSecretEmpty(t *testing.T) {
	t.Parallel()
	var zero rohrpost.Secret
	for _, s := range []rohrpost.Secret{zero, rohrpost.NewSecret("")} {
		b, err := json.Marshal(s)
		if !s.IsZero() || s.Reveal() != "" || fmt.Sprintf("%v|%q", s, s) != `|""` || string(b) != `""` || err != nil {
			t.Errorf("an empty secret is empty: %v %q %s %v", s, s, b, err)
		}
		if !s.Equal(zero) || s.Equal(rohrpost.NewSecret("x")) {
			t.Error("an empty secret equals only an empty one")
		}
	}
	if rohrpost.NewSecret("x").IsZero() || !rohrpost.NewSecret("x").Equal(rohrpost.NewSecret("x")) || rohrpost.NewSecret("x").Equal(rohrpost.NewSecret("y")) {
		t.Error("secrets are told apart by their value")
	}
}

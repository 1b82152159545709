package doctor

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

//go:embed advice.yaml
var adviceYAML []byte

// The rows are loaded at first use. A test loads them too, so that a broken file
// never leaves the house.
var rows = sync.OnceValue(func() []*row {
	rows, err := load(adviceYAML)
	if err != nil {
		panic(err)
	}
	return rows
})

// A row is one piece of advice, as advice.yaml explains it.
type row struct {
	Step       smtp.StepName `yaml:"step"`
	Failed     bool          `yaml:"failed"`
	Note       bool          `yaml:"note"`
	When       []condition   `yaml:"when"`
	Host       string        `yaml:"host"`
	Ports      []int         `yaml:"ports"`
	Categories []string      `yaml:"categories"`
	Instead    bool          `yaml:"instead"`
	EN         string        `yaml:"en"`
	DE         string        `yaml:"de"`

	host *regexp.Regexp
}

// A condition is what the doctor finds out beside the steps.
type condition string

const (
	password        condition = "password"
	unencrypted     condition = "unencrypted"
	startTLSOffered condition = "starttls_offered"
	endsSoon        condition = "ends_soon"
	notAllowed      condition = "not_allowed"
)

// load reads the rows strictly: what it does not know is an error.
func load(b []byte) ([]*row, error) {
	var rows []*row
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("advice: %w", err)
	}
	var errs []error
	for i, r := range rows {
		if err := r.compile(); err != nil {
			errs = append(errs, fmt.Errorf("advice, row %d: %w", i+1, err))
		}
	}
	return rows, errors.Join(errs...)
}

func (r *row) compile() error {
	var errs []error
	if _, ok := texts[string(r.Step)+" title"]; !ok {
		errs = append(errs, fmt.Errorf("unknown step %q", r.Step))
	}
	for _, c := range r.When {
		if !slices.Contains([]condition{password, unencrypted, startTLSOffered, endsSoon, notAllowed}, c) {
			errs = append(errs, fmt.Errorf("unknown condition %q", c))
		}
	}
	for _, c := range r.Categories {
		if !slices.Contains(failure.Categories(), c) {
			errs = append(errs, fmt.Errorf("unknown category %q", c))
		}
	}
	if !r.Failed && (r.Instead || len(r.Categories) > 0) || r.Failed && r.Note {
		errs = append(errs, errors.New("instead and categories belong to a failure, note does not"))
	}
	if r.EN == "" || r.DE == "" {
		errs = append(errs, errors.New("a text is missing"))
	}
	var err error
	r.host, err = regexp.Compile(r.Host)
	return errors.Join(append(errs, err)...)
}

// fits tells whether the row is for this step of this server. host is in lower
// case; f is nil if the step has passed.
func (r *row) fits(step smtp.StepName, host string, port int, f *failure.Failure, found []condition) bool {
	return r.Step == step && r.Failed == (f != nil) &&
		!slices.ContainsFunc(r.When, func(c condition) bool { return !slices.Contains(found, c) }) &&
		r.host.MatchString(host) &&
		(len(r.Ports) == 0 || slices.Contains(r.Ports, port)) &&
		(len(r.Categories) == 0 || slices.Contains(r.Categories, f.Category))
}

package configs

import (
	_ "embed"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/secret"
)

//go:embed rohrpost.yaml
var template string

// Template is rohrpost.yaml: every key with its default and a comment.
func Template() string { return template }

// Show writes the configuration as YAML that Load reads, with secrets redacted.
// A secret that came from a file is shown as that file.
func (c Config) Show(w io.Writer) error {
	c.Redis.URL = redisconn.Redacted(c.Redis.URL)
	c.Web.Users = slices.Clone(c.Web.Users)
	for _, t := range c.twins() {
		if *t.file != "" {
			*t.value = secret.String{}
		}
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("show configuration: %w", err)
	}
	return enc.Close()
}

package configs

import (
	_ "embed"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

//go:embed rohrpost.yaml
var template string

// Template is rohrpost.yaml: every key with its default and a comment.
func Template() string { return template }

// Show writes the configuration as YAML that Load reads, with secrets redacted.
// A secret that came from a file is shown as that file.
func (c Config) Show(w io.Writer) error {
	c.Redis.URL = redisconn.Redacted(c.Redis.URL)
	c.Web.Users, c.Web.Links = slices.Clone(c.Web.Users), slices.Clone(c.Web.Links)
	for _, t := range c.twins() {
		if *t.file != "" {
			*t.value = rohrpost.Secret{}
		}
	}
	for i := range c.Web.Links {
		if link := &c.Web.Links[i]; link.PublicKeyFile != "" {
			link.PublicKey = ""
		}
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("show configuration: %w", err)
	}
	return enc.Close()
}

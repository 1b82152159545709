package configs

import (
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

func (k *DKIM) parse() (*dkim.Key, error) {
	return dkim.ParseKey(k.Domain, k.Selector, []byte(k.Key.Reveal()))
}

func (c *Config) checkDKIM(p *problems) {
	names := map[string]bool{}
	for i := range c.DKIM {
		k, key := &c.DKIM[i], fmt.Sprintf("dkim[%d]", i)
		if k.Key.IsZero() && k.KeyFile != "" {
			continue // the file could not be read, which is told
		}
		p.add(k.Key.IsZero(), key+".key_file", "names no key: rohrpost dkim keygen makes one")
		parsed, err := k.parse()
		p.add(err != nil && !k.Key.IsZero(), key, "%v", err)
		if err != nil {
			continue
		}
		name := strings.ToLower(parsed.Name())
		p.add(names[name], key, "%s is there twice: keep one", name)
		names[name] = true
	}
}

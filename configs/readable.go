package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// ReadableSecrets warns of files with a secret that every user of this machine may
// read, one line each. Those that a container is given below /run/secrets are left out:
// nobody else is in there.
func (c *Config) ReadableSecrets() []string {
	const othersRead = 0o004
	var warnings []string
	for _, t := range c.twins() {
		name := string(*t.file)
		if name == "" || filepath.Dir(name) == "/run/secrets" {
			continue
		}
		info, err := os.Stat(name)
		if err == nil && info.Mode().Perm()&othersRead != 0 {
			warnings = append(warnings, fmt.Sprintf("%s_file: every user of this machine can read %s (mode %04o): chmod o-rwx %[2]s",
				t.key, name, info.Mode().Perm()))
		}
	}
	slices.Sort(warnings)
	return slices.Compact(warnings)
}

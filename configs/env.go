package configs

import (
	"fmt"
	"regexp"
	"strings"
)

const envPrefix = "ROHRPOST_"

// kubernetes puts these into every container beside a Service called rohrpost.
var kubernetesVariable = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_\w+)?)$`)

// environment applies the ROHRPOST_… variables: retry.give_up is
// ROHRPOST_RETRY_GIVE_UP. An unknown one is an error, for a typing mistake in a
// deployment would else go unnoticed.
func (l *loader) environment(environ []string) {
	known := map[string]string{}
	names := []string{fileVariable}
	for key := range l.fields {
		name := Variable(key)
		if strings.Contains(name, "[") {
			continue // of a record in the file
		}
		known[name] = key
		names = append(names, name)
	}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, envPrefix) || name == fileVariable || kubernetesVariable.MatchString(name) {
			continue
		}
		key, ok := known[name]
		if !ok {
			l.errs = append(l.errs, fmt.Errorf("environment: unknown variable %s%s", name, nearest(name, names)))
			continue
		}
		l.set(layerEnvironment, name, key, value)
	}
}

// Variable is the name of a key's environment variable.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

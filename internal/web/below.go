package web

import (
	"net/http"
	"strings"
)

// below serves pages that stand below a path, "/mail", and the probes at the root as
// well: what asks them does not come through the proxy.
func below(base string, pages http.Handler) http.Handler {
	if base == "" {
		return pages
	}
	stripped := http.StripPrefix(base, pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == base:
			http.Redirect(w, r, base+"/", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, base+"/"):
			stripped.ServeHTTP(w, r)
		case isProbe(r.URL.Path):
			pages.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

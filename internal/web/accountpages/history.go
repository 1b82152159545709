package accountpages

import (
	"net"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// changesOf are changes with the labels of their fields.
func changesOf(lang string, changes []redisstore.Change) []change {
	out := make([]change, len(changes))
	for i, c := range changes {
		out[i] = change{Time: c.Time, Who: c.Actor.Name, Action: words.Of(lang, words.Change, c.Action), Place: c.Place, Fields: fieldChanges(lang, c.Fields)}
	}
	return out
}

func fieldChanges(lang string, fields []redisstore.FieldChange) []fieldChange {
	out := make([]fieldChange, len(fields))
	for i, f := range fields {
		label := words.Field(lang, f.Field)
		if f.Field == "unlocked" { // no setting: an operator's decision
			label = words.Of(lang, words.Change, "unlock")
		}
		out[i] = fieldChange{label, valueOf(lang, f.Old), valueOf(lang, f.New)}
	}
	return out
}

// valueOf is a value of a history as people read it.
func valueOf(lang, value string) string {
	if german := map[string]string{"true": "ja", "false": "nein", "changed": "geändert", "removed": "entfernt"}[value]; lang == "de" && german != "" {
		return german
	}
	if english := map[string]string{"true": "yes", "false": "no"}[value]; english != "" {
		return english
	}
	return value
}

// remoteOf is the address that a request came from.
func remoteOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

package resolver

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// A FromRule is what a provider does with a From other than the mailbox's
// address.
type FromRule string

// The rules.
const (
	FromMailbox   FromRule = "mailbox"   // refuses it, unless it is an alias of the mailbox
	FromRewritten FromRule = "rewritten" // replaces it silently
	FromSendAs    FromRule = "send_as"   // wants the right "Send As"
	FromVerified  FromRule = "verified"  // wants it verified before
)

// A Preset is what is known of a provider. It fills what settings leave out.
type Preset struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Host        string     `json:"host"` // empty: each customer has another
	Port        int        `json:"port"`
	Encryption  Encryption `json:"encryption"`
	OAuth2      string     `json:"oauth2"` // Microsoft, Google or empty
	Connections int        `json:"connections"`
	Limits      Limits     `json:"limits"`
	From        FromRule   `json:"from"`
	Note        Note       `json:"note"`
}

// A Note is a sentence for the administrator.
type Note struct {
	English string `json:"en"`
	German  string `json:"de"`
}

//go:embed presets.yaml
var presetsYAML []byte

// presets reads the embedded table, once. A test looks at every row.
var presets = sync.OnceValue(func() []Preset {
	var table struct {
		Presets []Preset `json:"presets"`
	}
	d := strictyaml.New("presets.yaml")
	d.Decode(presetsYAML, &table)
	if err := d.Err(); err != nil {
		panic(err)
	}
	return table.Presets
})

// Presets are all providers that are known, in the order of presets.yaml.
func Presets() []Preset { return slices.Clone(presets()) }

// PresetByID finds one; "custom" and "" are none.
func PresetByID(id string) (Preset, bool) {
	for _, p := range presets() {
		if p.ID == id {
			return p, true
		}
	}
	return Preset{}, false
}

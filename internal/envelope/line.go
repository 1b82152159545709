package envelope

import (
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost/internal/payload"
)

// linePrefix begins a sealed line: no text that a person writes has it.
const linePrefix = "\x00sealed\n"

// Line seals a line of a mail, its subject for example, that stands beside the payload. It
// opens for the mail of this key alone.
func (k *Key) Line(text string, mail payload.Key) string {
	return linePrefix + k.wrapped + "\n" + string(k.data.sealMail([]byte(text), lineHead(mail)))
}

// IsSealed reports whether a line is sealed.
func IsSealed(line string) bool { return strings.HasPrefix(line, linePrefix) }

// Line opens what Key.Line has sealed; a line that is not sealed is as it stands. The
// error is ErrChanged or one of package seal.
func (o *Opener) Line(line string, mail payload.Key) (string, error) {
	text, ok := strings.CutPrefix(line, linePrefix)
	if !ok {
		return line, nil
	}
	wrapped, sealed, ok := strings.Cut(text, "\n")
	if !ok {
		return "", fmt.Errorf("%w: a line", ErrChanged)
	}
	key, err := o.key(wrapped)
	if err != nil {
		return "", err
	}
	plain, err := open(key.mails, []byte(sealed), lineHead(mail))
	return string(plain), err
}

func lineHead(mail payload.Key) []byte { return []byte("line of " + string(mail)) }

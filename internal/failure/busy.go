package failure

import "fmt"

// A Busy is the cause of a test for which no connection was free: all that the account
// may have are busy with mails. Its text is this system's own, and for everybody.
type Busy struct{ Connections int }

// Error names their number.
func (b *Busy) Error() string {
	if b.Connections == 1 {
		return "the account's only connection is busy with mails"
	}
	return fmt.Sprintf("all %d connections of the account are busy with mails", b.Connections)
}

// Unwrap is ErrBusyTest.
func (*Busy) Unwrap() error { return ErrBusyTest }

package pages

import (
	"errors"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	mailservice "github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/producer"
)

// mailService is what the pages of mails ask.
func mailService(parts engine.Options, client *producer.Client, index *mailindex.Index) (*mailservice.Service, error) {
	book, bookErr := ledger.New(ledger.Options{Redis: parts.Redis, Keep: parts.Keep})
	blocks, blocksErr := breaker.New(breaker.Options{Redis: parts.Redis, Backlog: backlog.New(parts.Redis, nil), Logger: parts.Logger})
	acts, actsErr := audit.New(audit.Options{Redis: parts.Redis})
	opener, openerErr := envelope.NewOpener(parts.Seal.Identities)
	if err := errors.Join(bookErr, blocksErr, actsErr, openerErr); err != nil {
		return nil, err
	}
	return mailservice.New(mailservice.Options{
		Ledger: book, Index: index, Producer: client, Errors: parts.ErrorLog, Blocks: blocks, Audit: acts, Subjects: opener,
	})
}

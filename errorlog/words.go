package errorlog

import (
	"fmt"
	"strconv"
	"strings"

	label "github.com/rohrpost/rohrpost/internal/words"
)

// words are the texts of one language.
type words struct {
	lang      string
	separator string // of CSV

	title, window, tenant, filter, order, entries, cut string
	platform, allTenants, none, limit                  string
	orders                                             map[string]string
	cutFormat                                          string // entries at most, MiB at most, dropped, tenant, time
	missingFormat                                      string // entries
	moreFormat                                         string // recipients

	hint, next, never, delayed, recipients, diagnostic   string
	user, account, host, stage, category, class, attempt string
	job, messageID, metadata                             string
}

// wordsIn is German for "de", "de-AT", "de_DE.UTF-8" …, else English.
func wordsIn(lang string) *words {
	if label.Language(lang) == label.German {
		return german()
	}
	return english()
}

func english() *words {
	return &words{
		lang: "en", separator: ",",
		title: "rohrpost error log", window: "Window", tenant: "Tenant", filter: "Filter",
		order: "Order", entries: "Entries", cut: "Cut",
		platform: "(platform)", allTenants: "(all)", none: "none", limit: "at most",
		orders:        map[string]string{"newest_first": "newest first", "oldest_first": "oldest first"},
		cutFormat:     "the log holds at most %d entries and %s MiB per tenant; %d older entries of %s were dropped; complete since %s",
		missingFormat: "%d entries left the log while this file was written",
		moreFormat:    "… and %d more",
		hint:          "What to do", next: "Next attempt", never: "none, the failure is final",
		delayed: "Waiting for over", recipients: "Recipients", diagnostic: "Answer",
		user: "User", account: "Account", host: "Server", stage: "Stage", category: "Category", class: "Class",
		attempt: "Attempt", job: "Job", messageID: "Message-ID", metadata: "Metadata",
	}
}

func german() *words {
	return &words{
		lang: "de", separator: ";",
		title: "rohrpost-Fehlerprotokoll", window: "Zeitraum", tenant: "Mandant", filter: "Filter",
		order: "Reihenfolge", entries: "Einträge", cut: "Gekürzt",
		platform: "(Plattform)", allTenants: "(alle)", none: "keiner", limit: "höchstens",
		orders:        map[string]string{"newest_first": "neueste zuerst", "oldest_first": "älteste zuerst"},
		cutFormat:     "das Protokoll fasst höchstens %d Einträge und %s MiB je Mandant; %d ältere Einträge von %s fielen weg; vollständig seit %s",
		missingFormat: "%d Einträge verließen das Protokoll, während diese Datei geschrieben wurde",
		moreFormat:    "… und %d weitere",
		hint:          "Was zu tun ist", next: "Nächster Versuch", never: "keiner, der Fehler ist endgültig",
		delayed: "Wartet seit über", recipients: "Empfänger", diagnostic: "Antwort",
		user: "Benutzer", account: "Konto", host: "Server", stage: "Schritt", category: "Kategorie", class: "Art",
		attempt: "Versuch", job: "Auftrag", messageID: "Message-ID", metadata: "Metadaten",
	}
}

func (w *words) tenantName(tenant string) string {
	if tenant == "" {
		return w.platform
	}
	return tenant
}

func (w *words) cutText(h Header, c Cut) string {
	mib := strconv.FormatFloat(float64(h.MaxBytes)/(1<<20), 'g', 3, 64)
	return fmt.Sprintf(w.cutFormat, h.MaxEntries, mib, c.Dropped, w.tenantName(c.Tenant), formatTime(c.Complete))
}

// recipientsOf joins the recipients of an entry, and says how many there are more.
func (w *words) recipientsOf(e Entry, separator string) string {
	list := strings.Join(e.Recipients, separator)
	if e.MoreRecipients > 0 {
		list += " " + fmt.Sprintf(w.moreFormat, e.MoreRecipients)
	}
	return list
}

func (w *words) missing(n int64) string { return fmt.Sprintf(w.missingFormat, n) }

// of is the label of a value.
func (w *words) of(kind label.Kind, value string) string { return label.Of(w.lang, kind, value) }

// accountOf is the account of an entry, with its level unless the name says that.
func (w *words) accountOf(e Entry) string {
	if name := label.AccountName(w.lang, e.Account); name != e.Account {
		return name
	}
	return spaced(e.Account, parenthesized(w.of(label.Level, e.Level)))
}

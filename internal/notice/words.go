package notice

import (
	"strings"

	"golang.org/x/text/language"

	"github.com/rohrpost/rohrpost/internal/breaker"
)

// words are the texts of one language.
type words struct {
	lang string
	tag  language.Tag // of numbers
	time string       // a layout of package time

	// By kind: one account, by its name; several, by their number; what is said of
	// one, by the time.
	subject, subjects, what map[breaker.Kind]string

	platform, tenant, user string // the name of an account, by ids
	waits, wait            string // one mail; a number of them
	todo, open             string
	wherePlatform, where   string // without a link; by the tenant
	more, moreLink         string // a number of accounts; the page with all
	goOn, own, last        string // last: by the time of the next notice
	program                string
}

// wordsIn is German for "de", "de-AT", "de_DE.UTF-8" …, else English.
func wordsIn(lang string) *words {
	if base, _, _ := strings.Cut(strings.ReplaceAll(lang, "_", "-"), "-"); strings.EqualFold(base, "de") {
		return german()
	}
	return english()
}

func english() *words {
	return &words{
		lang: "en", tag: language.English, time: "2 January 2006, 15:04 MST",
		subject: map[breaker.Kind]string{
			breaker.Parked:   "A mail account has stopped: %s",
			breaker.Settings: "Mails cannot be sent: %s",
			breaker.Down:     "A mail server cannot be reached: %s",
			breaker.Slow:     "A mail account is waiting for its provider: %s",
		},
		subjects: map[breaker.Kind]string{
			breaker.Parked:   "%d mail accounts have stopped",
			breaker.Settings: "%d mail accounts cannot send all mails",
			breaker.Down:     "%d mail accounts cannot reach their servers",
			breaker.Slow:     "%d mail accounts are waiting for their providers",
		},
		what: map[breaker.Kind]string{
			breaker.Parked:   "It has sent nothing since %s.",
			breaker.Settings: "Mails have been failing because of its settings since %s.",
			breaker.Down:     "Its mail server has been unreachable since %s.",
			breaker.Slow:     "Its provider has been holding its mails back since %s.",
		},
		platform: "The platform’s account", tenant: "The account of tenant “%s”", user: "The account of user “%s”",
		waits: "One mail is waiting.", wait: "%d mails are waiting.",
		todo: "What to do:", open: "Open the account:",
		wherePlatform: "You find the account in rohrpost under System.",
		where:         "You find the account in rohrpost under Accounts of tenant “%s”.",
		more:          "%d more accounts have stopped as well.", moreLink: "All accounts:",
		goOn: "Waiting mails leave by themselves as soon as the account works again; nobody has to send them anew. A mail whose time runs out before that fails, and is listed among the problems.",
		own:  "This notice leaves through the same account: its arrival shows that the account sends again.",
		last: "This is the last notice for now. Whatever else stops will be told in one mail, not before %s.",

		program: "rohrpost wrote this mail by itself. It writes once for each cause.",
	}
}

func german() *words {
	return &words{
		lang: "de", tag: language.German, time: "02.01.2006, 15:04 Uhr (MST)",
		subject: map[breaker.Kind]string{
			breaker.Parked:   "Ein E-Mail-Konto sendet nicht mehr: %s",
			breaker.Settings: "E-Mails können nicht gesendet werden: %s",
			breaker.Down:     "Ein Mailserver ist nicht erreichbar: %s",
			breaker.Slow:     "Ein E-Mail-Konto wartet auf seinen Anbieter: %s",
		},
		subjects: map[breaker.Kind]string{
			breaker.Parked:   "%d E-Mail-Konten senden nicht mehr",
			breaker.Settings: "%d E-Mail-Konten können nicht alle E-Mails senden",
			breaker.Down:     "%d E-Mail-Konten erreichen ihre Server nicht",
			breaker.Slow:     "%d E-Mail-Konten warten auf ihre Anbieter",
		},
		what: map[breaker.Kind]string{
			breaker.Parked:   "Es hat seit dem %s nichts mehr gesendet.",
			breaker.Settings: "Seit dem %s scheitern E-Mails an seinen Einstellungen.",
			breaker.Down:     "Sein Mailserver ist seit dem %s nicht erreichbar.",
			breaker.Slow:     "Sein Anbieter hält seine E-Mails seit dem %s zurück.",
		},
		platform: "Das Konto der Plattform", tenant: "Das Konto des Mandanten „%s“", user: "Das Konto des Benutzers „%s“",
		waits: "Eine E-Mail wartet.", wait: "%d E-Mails warten.",
		todo: "Was zu tun ist:", open: "Zum Konto:",
		wherePlatform: "Sie finden das Konto in rohrpost unter „System“.",
		where:         "Sie finden das Konto in rohrpost unter „Konten“ des Mandanten „%s“.",
		more:          "%d weitere Konten senden ebenfalls nicht mehr.", moreLink: "Alle Konten:",
		goOn: "Wartende E-Mails gehen von selbst hinaus, sobald das Konto wieder sendet; niemand muss sie neu senden. Eine E-Mail, deren Frist vorher abläuft, schlägt fehl und steht dann unter den Problemen.",
		own:  "Diese Nachricht geht über dasselbe Konto hinaus: Dass sie ankommt, zeigt, dass es wieder sendet.",
		last: "Dies ist vorerst die letzte Nachricht. Was sonst noch ausfällt, steht in einer gemeinsamen E-Mail, frühestens am %s.",

		program: "rohrpost hat diese E-Mail selbst geschrieben, einmal für jede Ursache.",
	}
}

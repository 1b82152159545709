package doctor

import (
	"strings"

	"github.com/rohrpost/rohrpost/internal/words"
)

// texts are the words of a report. A key of two parts is a step and what is said
// of it: its title, that it has passed, that it has failed.
var texts = map[string]struct{ en, de string }{
	"settings title":    {"Settings", "Einstellungen"},
	"resolve title":     {"Name resolution", "Namensauflösung"},
	"connect title":     {"Connection", "Verbindung"},
	"banner title":      {"Greeting", "Begrüßung"},
	"ehlo title":        {"Introduction", "Vorstellung"},
	"encryption title":  {"Encryption", "Verschlüsselung"},
	"certificate title": {"Certificate", "Zertifikat"},
	"methods title":     {"Login methods", "Anmeldeverfahren"},
	"login title":       {"Login", "Anmeldung"},
	"sender title":      {"Sender", "Absender"},
	"recipient title":   {"Recipient", "Empfänger"},
	"token title":       {"Sign-in at the provider", "Anmeldung beim Anbieter"},
	"sent title":        {"Handover", "Übergabe"},

	"mail token":      {"The provider lets this account in.", "Der Anbieter lässt dieses Konto ein."},
	"mail connect":    {"The server answers.", "Der Server antwortet."},
	"mail banner":     {"It is a mail server.", "Es ist ein Mailserver."},
	"mail encryption": {"The connection is encrypted, and the certificate is accepted.", "Die Verbindung ist verschlüsselt, und das Zertifikat wird anerkannt."},
	"mail login":      {"The server accepts the login.", "Der Server nimmt die Anmeldung an."},
	"mail sender":     {"The server accepts the sender address.", "Der Server nimmt die Absenderadresse an."},
	"mail recipient":  {"The server accepts the recipient address.", "Der Server nimmt die Empfängeradresse an."},
	"mail sent":       {"The server has taken the mail.", "Der Server hat die Mail angenommen."},

	"settings passed":    {"The settings are complete.", "Die Einstellungen sind vollständig."},
	"resolve passed":     {"Addresses found: {addresses}.", "Gefundene Adressen: {addresses}."},
	"connect passed":     {"The server answers on port {port}{remote}.", "Der Server antwortet auf Port {port}{remote}."},
	"banner passed":      {"It is a mail server.", "Es ist ein Mailserver."},
	"ehlo passed":        {"The server knows EHLO.", "Der Server kennt EHLO."},
	"encryption passed":  {"The connection is encrypted with {version}.", "Die Verbindung ist mit {version} verschlüsselt."},
	"encryption none":    {"The connection is not encrypted.", "Die Verbindung ist nicht verschlüsselt."},
	"encryption begun":   {"The server encrypts; its certificate decides.", "Der Server verschlüsselt; das Zertifikat entscheidet."},
	"certificate passed": {"Valid until {until} (days left: {days}), for {names}.", "Gültig bis {until} (Tage übrig: {days}), für {names}."},
	"methods passed":     {"Offered: {methods}.", "Angeboten: {methods}."},
	"methods none":       {"None is offered.", "Es wird keines angeboten."},
	"login passed":       {"The server accepts the login.", "Der Server nimmt die Anmeldung an."},
	"sender passed":      {"The server accepts the sender address.", "Der Server nimmt die Absenderadresse an."},
	"recipient passed":   {"The server accepts the recipient address.", "Der Server nimmt die Empfängeradresse an."},

	"settings failed":       {"No connection can be tried with these settings", "Mit diesen Einstellungen ist keine Verbindung möglich"},
	"resolve failed":        {"The server's name has no address", "Zum Namen des Servers gibt es keine Adresse"},
	"connect failed":        {"There is no connection to the server", "Es kommt keine Verbindung zum Server zustande"},
	"connect busy":          {"All connections of the account ({connections}) are busy with mails", "Alle Verbindungen des Kontos ({connections}) sind mit Nachrichten beschäftigt"},
	"banner failed":         {"The server does not greet as a mail server should", "Der Server meldet sich nicht, wie es ein Mailserver soll"},
	"ehlo failed":           {"The server does not take the introduction (EHLO)", "Der Server nimmt die Vorstellung (EHLO) nicht an"},
	"encryption failed":     {"The connection cannot be encrypted", "Die Verbindung lässt sich nicht verschlüsseln"},
	"certificate failed":    {"The certificate is not accepted", "Das Zertifikat wird nicht anerkannt"},
	"certificate expired":   {"The certificate expired on {until} (days ago: {days})", "Das Zertifikat ist am {until} abgelaufen (vor Tagen: {days})"},
	"certificate early":     {"The certificate is valid from {from} only", "Das Zertifikat gilt erst ab {from}"},
	"certificate name":      {"The certificate is for {names}, not for {host}", "Das Zertifikat gilt für {names}, nicht für {host}"},
	"certificate authority": {"The certificate comes from no known authority (days left: {days})", "Das Zertifikat stammt von keiner bekannten Stelle (Tage übrig: {days})"},
	"methods failed":        {"The server does not say how to log in", "Der Server sagt nicht, wie man sich anmeldet"},
	"login failed":          {"The login failed", "Die Anmeldung ist fehlgeschlagen"},
	"sender failed":         {"The server does not accept the sender address", "Der Server nimmt die Absenderadresse nicht an"},
	"recipient failed":      {"The server does not accept the recipient address", "Der Server nimmt die Empfängeradresse nicht an"},

	"skipped":   {"Not reached.", "Nicht erreicht."},
	"all well":  {"Everything is well.", "Alles in Ordnung."},
	"warnings":  {"It works; please read the warnings.", "Es funktioniert; bitte die Warnungen lesen."},
	"no time":   {"It was not examined: no connection was free. Please try again in a moment.", "Es wurde nicht untersucht: Keine Verbindung war frei. Bitte gleich noch einmal versuchen."},
	"it failed": {"It does not work yet. To be mended: {step}.", "Es funktioniert noch nicht. Zu beheben: {step}."},
}

// A language is "de" or anything else, which is English.
type language string

// languageOf reads a tag such as de-AT.
func languageOf(tag string) language { return language(words.Language(tag)) }

// say is a text with values in place of its {names}, which come in pairs.
func (l language) say(key string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(l.pick(texts[key].en, texts[key].de))
}

func (l language) pick(en, de string) string {
	if l == "de" {
		return de
	}
	return en
}

package accounts

import "html"

// testWords are the test mail: account, server, From, Reply-To, time.
var testWords = map[string]struct{ subject, text, html string }{
	"en": {
		subject: "Test mail from rohrpost",
		text: "This test mail has arrived: the settings work.\n\nAccount: %s\nServer: %s\nFrom: %s\nReplies go to: %s\nSent: %s\n\n" +
			"Nobody needs to answer it.\n",
		html: "<h1>The settings work</h1><p>This test mail has arrived.</p>" +
			"<p>Account: %s<br>Server: %s<br>From: %s<br>Replies go to: %s<br>Sent: %s</p><p>Nobody needs to answer it.</p>",
	},
	"de": {
		subject: "Testmail von rohrpost",
		text: "Diese Testmail ist angekommen: Die Einstellungen stimmen.\n\nKonto: %s\nServer: %s\nAbsender: %s\nAntworten gehen an: %s\n" +
			"Gesendet: %s\n\nEine Antwort ist nicht nötig.\n",
		html: "<h1>Die Einstellungen stimmen</h1><p>Diese Testmail ist angekommen.</p>" +
			"<p>Konto: %s<br>Server: %s<br>Absender: %s<br>Antworten gehen an: %s<br>Gesendet: %s</p><p>Eine Antwort ist nicht nötig.</p>",
	},
}

func htmlEscape(s string) string { return html.EscapeString(s) }

package words

// hints are the lines below the fields, for everybody.
var hints = map[string]pair{
	"provider":             {"If yours is in the list, server, port and encryption are filled in.", "Steht Ihrer in der Liste, sind Server, Port und Verschlüsselung schon ausgefüllt."},
	"use_platform_default": {"What you have entered below is kept, and used again when you take the tick away.", "Was unten eingetragen ist, bleibt gespeichert und gilt wieder, sobald der Haken entfernt ist."},
	"address":              {"The recipients see it. It should be the address of the mailbox whose login is used: most providers refuse any other.", "Diese Adresse sehen die Empfänger. Es sollte die des Postfachs sein, mit dem sich das Konto anmeldet: Die meisten Anbieter lehnen jede andere ab."},
	"name":                 {"The recipients see it beside the address. Empty: first and last name of the user.", "Diesen Namen sehen die Empfänger neben der Adresse. Leer: Vor- und Nachname des Benutzers."},
	"central_sender.address": {
		"All mails of this account leave with this sender. The provider must know it as an alias of the same mailbox, and you must be allowed to use it; otherwise mails are refused or end up as spam.",
		"Alle Mails dieses Kontos tragen diesen Absender. Der Anbieter muss ihn als Alias desselben Postfachs kennen, und Sie müssen ihn verwenden dürfen; sonst werden Mails abgelehnt oder landen im Spam.",
	},
	"central_sender.name": {"Empty: the sender name above.", "Leer: der Absendername oben."},
	"force_sender":        {"Recommended: most providers send nothing for an address that does not belong to the login.", "Empfohlen: Die meisten Anbieter senden nichts für eine Adresse, die nicht zur Anmeldung gehört."},
	"reply_to_user":       {"The sender stays the account's; whoever answers writes to the user who caused the mail.", "Absender bleibt das Konto; wer antwortet, schreibt an den Benutzer, der die Mail ausgelöst hat."},
	"aliases":             {"One a line. Mails may ask for these senders if the one above is not always used; the provider must allow each of them.", "Eine Adresse je Zeile. Mails dürfen diese Absender verlangen, wenn nicht immer der obige gilt; der Anbieter muss jeden erlauben."},
	"reverse_path":        {"Servers send mail here that cannot be delivered. Empty: the sender address.", "Hierhin melden Server, was nicht zustellbar ist. Leer: die Absenderadresse."},
	"fallback":            {"If the provider refuses the login, mails wait until somebody mends it, or the platform's account sends them with its own address.", "Lehnt der Anbieter die Anmeldung ab, warten die Mails, bis jemand es behebt, oder das Konto der Plattform sendet sie mit der eigenen Adresse."},
	"admin_address":       {"Replies go here if nothing else is said, and so do notices about accounts that do not send.", "Hierhin gehen Antworten, wenn nichts anderes bestimmt ist, und Hinweise auf Konten, die nicht senden."},
	"order.manual":        {"The first account in use sends. A level that is left out never does.", "Es sendet das erste Konto, das in Gebrauch ist. Eine ausgelassene Ebene sendet nie."},
	"order.automatic":     {"The first account in use sends. A level that is left out never does.", "Es sendet das erste Konto, das in Gebrauch ist. Eine ausgelassene Ebene sendet nie."},

	"smtp.host":                  {"The name that the provider publishes for sending, or an IP address. The server's certificate must be valid for it.", "Der Name, den der Anbieter für den Postausgang nennt, oder eine IP-Adresse. Das Zertifikat des Servers muss dafür gelten."},
	"smtp.port":                  {"Usually 465 with TLS or 587 with STARTTLS. Port 25 is for mail between servers, and often blocked.", "Meist 465 mit TLS oder 587 mit STARTTLS. Port 25 ist für Mail zwischen Servern gedacht und oft gesperrt."},
	"smtp.encryption":            {"TLS from the start (SMTPS, port 465) is recommended, then STARTTLS (port 587). Without, anybody on the way can read the mails.", "Empfohlen ist TLS von Anfang an (SMTPS, Port 465), sonst STARTTLS (Port 587). Ohne Verschlüsselung kann unterwegs jeder mitlesen."},
	"smtp.authentication":        {"Nearly all providers want one. A server in your own network may do without.", "Fast alle Anbieter verlangen sie. Ein Server im eigenen Netz kommt manchmal ohne aus."},
	"smtp.username":              {"Mostly the whole mail address; some providers give out another one.", "Meist die vollständige Mailadresse; manche Anbieter vergeben einen anderen Namen."},
	"smtp.password":              {"With two-factor login most providers want an app password here, not the one of the mailbox.", "Mit Zwei-Faktor-Anmeldung verlangen die meisten Anbieter hier ein App-Passwort statt des Postfach-Passworts."},
	"smtp.allow_plaintext_login": {"The password crosses the network readable for everybody. Only for a server in your own network.", "Das Passwort geht lesbar durch das Netz. Nur für einen Server im eigenen Netz."},
	"smtp.max_connections":       {"Empty: what the provider is known to allow.", "Leer: so viele, wie vom Anbieter bekannt ist."},

	"oauth2":                     {"Goes before user name and password, which stay stored and are not used meanwhile.", "Geht vor Benutzername und Passwort; diese bleiben gespeichert und ruhen so lange."},
	"oauth2.transport":           {"SMTP, or the interface of the provider if SMTP is switched off for the mailbox.", "SMTP, oder die Schnittstelle des Anbieters, wenn SMTP für das Postfach abgeschaltet ist."},
	"oauth2.username":            {"The mailbox that sends. Empty: the sender address.", "Das Postfach, das sendet. Leer: die Absenderadresse."},
	"oauth2.tenant":              {"Only for an application that sends by itself: the organisation's id or domain at Microsoft.", "Nur für eine Anwendung, die ohne Benutzer sendet: die ID oder Domain der Organisation bei Microsoft."},
	"oauth2.client_id":           {"Empty: the application that the operator has registered.", "Leer: die Anwendung, die der Betreiber registriert hat."},
	"oauth2.client_secret":       {"The value of the secret, not its id.", "Der Wert des Schlüssels, nicht dessen ID."},
	"oauth2.refresh_token":       {"Comes of itself when the account is connected in the browser.", "Entsteht von selbst, wenn das Konto im Browser verbunden wird."},
	"oauth2.endpoints.authorize": {"Where the browser is sent to sign in, as https://login.example.com/oauth2/authorize", "Wohin der Browser zur Anmeldung geht, etwa https://login.example.com/oauth2/authorize"},
	"oauth2.endpoints.token":     {"Where this system asks for access, as https://login.example.com/oauth2/token. Needs an application of your own.", "Wo dieses System den Zugriff erfragt, etwa https://login.example.com/oauth2/token. Verlangt eine eigene Anwendung."},
	"oauth2.endpoints.api":       {"Of Microsoft Graph or the Gmail API, as https://graph.example.com/v1.0", "Von Microsoft Graph oder der Gmail-API, etwa https://graph.example.com/v1.0"},
	"oauth2.endpoints.smtp":      {"Host and port, as smtp.example.com:587", "Rechner und Port, etwa smtp.example.com:587"},
	"oauth2.service_account":     {"The whole content of the JSON file from the Google Cloud console.", "Der ganze Inhalt der JSON-Datei aus der Google-Cloud-Konsole."},

	"limits.per_minute":          {"Empty or 0: what the provider is known to allow.", "Leer oder 0: was vom Anbieter bekannt ist."},
	"limits.per_hour":            {"Empty or 0: what the provider is known to allow.", "Leer oder 0: was vom Anbieter bekannt ist."},
	"limits.per_day":             {"In any 24 hours. Empty or 0: what the provider is known to allow.", "In je 24 Stunden. Leer oder 0: was vom Anbieter bekannt ist."},
	"limits.recipients_per_day":  {"In any 24 hours. Empty or 0: what the provider is known to allow.", "In je 24 Stunden. Leer oder 0: was vom Anbieter bekannt ist."},
	"limits.recipients_per_mail": {"A mail to more recipients leaves in several parts.", "Eine Mail an mehr Empfänger geht in mehreren Teilen hinaus."},

	"branding.enabled":          {"All mails with HTML get logo, colors and footer, whichever account sends them.", "Alle Mails mit HTML erhalten Logo, Farben und Fußzeile, gleich welches Konto sie sendet."},
	"branding.logo":             {"PNG, JPEG or GIF, at most 256 KiB. Mail programs do not show SVG.", "PNG, JPEG oder GIF, höchstens 256 KiB. Mailprogramme zeigen kein SVG."},
	"branding.logo_alt":         {"Mail programs show it until the recipient loads pictures.", "Mailprogramme zeigen ihn, bis der Empfänger Bilder lädt."},
	"branding.logo_width":       {"In pixels, at most 600. Empty or 0: that of the picture.", "In Pixeln, höchstens 600. Leer oder 0: die des Bildes."},
	"branding.colors":           {"Written as #0b5cad. Text must stand out from what is behind it.", "Geschrieben wie #0b5cad. Text muss sich vom Grund dahinter abheben."},
	"branding.footer.lines":     {"Such as company, address and register, one a line.", "Etwa Firma, Anschrift und Registernummer, eine je Zeile."},
	"branding.footer.link":      {"Begins with https:// or mailto:", "Beginnt mit https:// oder mailto:"},
	"branding.footer.link_text": {"What the recipients see of the link. Empty: its address.", "Was die Empfänger vom Link sehen. Leer: seine Adresse."},
}

// providerHints are those of one provider, by the id of its resolver.Preset. They stand in
// place of the hint for everybody.
var providerHints = map[string]map[string]pair{
	"microsoft365": {
		"smtp.password": {
			"Better connect the account: Microsoft is switching passwords off. Until then \"Authenticated SMTP\" must be switched on for the mailbox (Microsoft 365 admin center: Users > Active users > the user > Mail > Manage email apps), and with two-factor login it takes an app password.",
			"Besser das Konto verbinden: Microsoft schafft Passwörter ab. Bis dahin muss „Authentifiziertes SMTP“ für das Postfach eingeschaltet sein (Microsoft 365 Admin Center: Benutzer > Aktive Benutzer > der Benutzer > E-Mail > E-Mail-Apps verwalten), und mit Zwei-Faktor-Anmeldung braucht es ein App-Kennwort.",
		},
		"central_sender.address": {"The mailbox needs the right \"Send As\" for this address (Exchange admin center).", "Das Postfach braucht für diese Adresse das Recht „Senden als“ (Exchange Admin Center)."},
		"smtp.max_connections":   {"Microsoft allows three for a mailbox, and other programs that use it count.", "Microsoft erlaubt drei je Postfach, und andere Programme zählen mit."},
	},
	"google": {
		"smtp.password": {
			"Google takes an app password here, never the usual one: switch 2-Step Verification on in the Google Account, make one at myaccount.google.com/apppasswords, and enter its 16 letters. Or connect the account.",
			"Google nimmt hier ein App-Passwort, nie das gewöhnliche: im Google-Konto die Bestätigung in zwei Schritten einschalten, unter myaccount.google.com/apppasswords eines anlegen und dessen 16 Buchstaben eintragen. Oder das Konto verbinden.",
		},
		"central_sender.address": {"Google silently replaces a sender that is not confirmed under \"Send mail as\" in the settings of Gmail.", "Google ersetzt stillschweigend einen Absender, der nicht in den Gmail-Einstellungen unter „Senden als“ bestätigt ist."},
	},
	"gmx":    {"smtp.password": {"First switch POP3 and IMAP on in the settings of the mailbox; with two-factor login it takes an application-specific password.", "Zuerst in den Einstellungen des Postfachs POP3 und IMAP einschalten; mit Zwei-Faktor-Anmeldung braucht es ein anwendungsspezifisches Passwort."}},
	"web.de": {"smtp.password": {"First switch POP3 and IMAP on in the settings of the mailbox; with two-factor login it takes an application-specific password.", "Zuerst in den Einstellungen des Postfachs POP3 und IMAP einschalten; mit Zwei-Faktor-Anmeldung braucht es ein anwendungsspezifisches Passwort."}},
	"t-online": {
		"smtp.password": {"The separate password for e-mail programs from the Telekom customer centre, not the one of the Telekom login.", "Das eigene Passwort für E-Mail-Programme aus dem Telekom-Kundencenter, nicht das des Telekom-Logins."},
	},
	"all-inkl": {
		"smtp.host":     {"The server of your own contract, such as w0123456.kasserver.com.", "Der Server des eigenen Vertrags, etwa w0123456.kasserver.com."},
		"smtp.username": {"The login of the mailbox, such as m0123456, or the whole address; not that of the customer area.", "Der Login des Postfachs, etwa m0123456, oder die vollständige Adresse; nicht der des Kundenbereichs."},
	},
	"brevo": {
		"smtp.username": {"The login under \"SMTP & API\".", "Der Login unter „SMTP & API“."},
		"smtp.password": {"The SMTP key under \"SMTP & API\", neither the API key nor the password of the account.", "Der SMTP-Schlüssel unter „SMTP & API“, weder der API-Schlüssel noch das Passwort des Kontos."},
		"address":       {"Confirm it at the provider first: mails of any other sender are accepted and then dropped.", "Vorher beim Anbieter bestätigen: Mails eines anderen Absenders werden angenommen und dann verworfen."},
	},
	"mailjet": {
		"smtp.username": {"The API key.", "Der API-Schlüssel."},
		"smtp.password": {"The secret key that belongs to the API key.", "Der geheime Schlüssel zum API-Schlüssel."},
		"address":       {"Confirm it at the provider first: mails of any other sender are accepted and then dropped.", "Vorher beim Anbieter bestätigen: Mails eines anderen Absenders werden angenommen und dann verworfen."},
	},
}

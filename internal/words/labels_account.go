package words

// accountLabels are what is said of accounts, and of the people who look after them.
var accountLabels = map[Kind]map[string]pair{
	Account: {
		"":             {"active", "aktiv"},
		"active":       {"active", "aktiv"},
		"locked":       {"own server not unlocked", "eigener Server nicht freigeschaltet"},
		"entered":      {"entered, not tested yet", "eingetragen, noch nicht getestet"},
		"checked":      {"tested, awaiting approval", "getestet, wartet auf Freigabe"},
		"parked":       {"stopped: login or permission refused", "gestoppt: Anmeldung oder Berechtigung abgelehnt"},
		"switched off": {"switched off", "ausgeschaltet"},
		"unusable":     {"cannot be used", "nicht nutzbar"},
		"no account":   {"no account", "kein Konto"},
	},
	Breaker: {
		"parked":   {"stopped: login or permission refused", "gestoppt: Anmeldung oder Berechtigung abgelehnt"},
		"slow":     {"provider asked for a pause", "Anbieter verlangt eine Pause"},
		"down":     {"server cannot be reached", "Server nicht erreichbar"},
		"settings": {"some mails are waiting for a change of the settings", "einige Mails warten auf geänderte Einstellungen"},
	},
	Wait: {
		"busy":   {"all connections are in use", "alle Verbindungen belegt"},
		"rate":   {"the account's limit is used up", "Limit des Kontos ausgeschöpft"},
		"parked": {"login or permission refused", "Anmeldung oder Berechtigung abgelehnt"},
		"slow":   {"provider asked for a pause", "Anbieter verlangt eine Pause"},
		"down":   {"server cannot be reached", "Server nicht erreichbar"},
	},
	Level: {
		"platform": {"platform", "Plattform"},
		"tenant":   {"tenant", "Mandant"},
		"user":     {"user", "Benutzer"},
	},
	Owner: {
		"platform": {"the platform's", "der Plattform"},
		"tenant":   {"the tenant's", "des Mandanten"},
		"user":     {"the user's", "des Benutzers"},
	},
	Transport: {
		"smtp":  {"mail server (SMTP)", "Mailserver (SMTP)"},
		"graph": {"Microsoft Graph", "Microsoft Graph"},
		"gmail": {"Gmail API", "Gmail API"},
	},
	Encryption: {
		"none":     {"none", "keine"},
		"starttls": {"after connecting (STARTTLS)", "nach dem Verbinden (STARTTLS)"},
		"tls":      {"from the start (TLS, SMTPS)", "von Anfang an (TLS, SMTPS)"},
	},
	Authentication: {
		"oauth2":   {"sign-in at the provider (OAuth2)", "Anmeldung beim Anbieter (OAuth2)"},
		"password": {"user name and password", "Benutzername und Passwort"},
		"none":     {"no login", "ohne Anmeldung"},
	},
	Fallback: {
		"":         {"mails wait", "die Mails warten"},
		"never":    {"mails wait", "die Mails warten"},
		"platform": {"the platform's account sends", "das Konto der Plattform sendet"},
	},
	Sender: {
		"mailbox":   {"refuses any sender that is no alias of the mailbox", "lehnt Absender ab, die kein Alias des Postfachs sind"},
		"rewritten": {"replaces a foreign sender without saying so", "ersetzt einen fremden Absender stillschweigend"},
		"send_as":   {"requires the permission \"Send As\" for a foreign sender", "verlangt für fremde Absender das Recht „Senden als“"},
		"verified":  {"requires a sender to be verified first", "verlangt, dass Absender vorher bestätigt sind"},
	},
	Role: {
		"operator": {"operator", "Betreiber"},
		"admin":    {"administrator", "Administrator"},
		"reader":   {"reader", "Leser"},
		"user":     {"user", "Benutzer"},
	},
	Change: {
		"set":     {"settings entered", "Einstellungen eingetragen"},
		"delete":  {"deleted", "gelöscht"},
		"unlock":  {"own server unlocked", "eigener Server freigeschaltet"},
		"lock":    {"own server locked", "eigener Server gesperrt"},
		"accept":  {"responsibility accepted", "Verantwortung bestätigt"},
		"request": {"own server asked for", "eigenen Server angefragt"},
		"refuse":  {"refused", "abgelehnt"},
		"release": {"allowed to try again", "wieder versuchen lassen"},
		"check":   {"tested", "getestet"},
		"approve": {"approved", "freigegeben"},
		"reseal":  {"secrets sealed anew", "Geheimnisse neu versiegelt"},
	},
	Step: {
		"unlock":                   {"unlock", "freischalten"},
		"enter or delete settings": {"enter or delete settings", "Einstellungen eintragen oder löschen"},
		"note a check":             {"note a check", "eine Prüfung vermerken"},
		"approve":                  {"approve", "freigeben"},
		"see changes":              {"see changes", "Änderungen ansehen"},
		"see settings":             {"see settings", "Einstellungen ansehen"},
		"ask for own servers":      {"ask for own servers", "eigene Server anfragen"},
	},
	Verdict: {
		"passed":  {"passed", "bestanden"},
		"warning": {"warning", "Warnung"},
		"failed":  {"failed", "fehlgeschlagen"},
		"skipped": {"not reached", "nicht erreicht"},
	},
	Secret: {
		"password":        {"password", "Passwort"},
		"client secret":   {"client secret", "Clientschlüssel"},
		"refresh token":   {"refresh token", "Aktualisierungstoken"},
		"service account": {"service account", "Dienstkontoschlüssel"},
	},
	Ground: {
		"card":       {"card", "Karte"},
		"background": {"background", "Hintergrund"},
	},
}

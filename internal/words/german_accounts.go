package words

// germanAccounts are warnings of accounts, and why something cannot be done to one, by the
// format of the English.
var germanAccounts = map[string]string{
	// Warnings.
	"%s: its mails wait": "{1:sentence}: seine Mails warten",
	"encryption is none: mails cross the network readable for everybody; starttls or tls is recommended": "keine Verschlüsselung: Mails gehen für jeden lesbar durch das Netz; empfohlen ist STARTTLS oder TLS",
	"port %d with encryption %s is unusual: 465 goes with tls, 587 with starttls":                        "Port {1} mit Verschlüsselung {2} ist ungewöhnlich: zu 465 gehört TLS, zu 587 STARTTLS",
	"a password at %s: %s": "ein Passwort bei {1}: {2:sentence}",
	"the sender %s is not the login %s: most providers refuse a foreign sender address":                                                                 "der Absender {1} ist nicht die Anmeldung {2}: Die meisten Anbieter lehnen eine fremde Absenderadresse ab",
	"the central sender %s must be an alias of the mailbox %s at the provider":                                                                          "die zentrale Absenderadresse {1} muss beim Anbieter ein Alias des Postfachs {2} sein",
	"%s replaces a From that is not confirmed there (\"Send mail as\") by %s, without an error":                                                         "{1} ersetzt einen Absender, der dort nicht bestätigt ist („Senden als“), ohne Fehlermeldung durch {2}",
	"%s needs the right \"Send As\" for %s":                                                                                                             "{1} verlangt das Recht „Senden als“ für {2}",
	"%s needs %s verified before it sends":                                                                                                              "{1} sendet erst, wenn {2} dort bestätigt ist",
	"Connect with OAuth2. A password works only while \"Authenticated SMTP\" is switched on for the mailbox, and Microsoft is switching passwords off.": "Mit OAuth2 verbinden. Ein Passwort geht nur, solange „Authentifiziertes SMTP“ für das Postfach eingeschaltet ist, und Microsoft schafft Passwörter ab.",
	"Connect with OAuth2, or make an app password (Google account, Security, 2-Step Verification, App passwords); the usual password is refused.":       "Mit OAuth2 verbinden oder ein App-Passwort anlegen (Google-Konto, Sicherheit, Bestätigung in zwei Schritten, App-Passwörter); das gewöhnliche Passwort wird abgelehnt.",

	// Warnings of a file with accounts.
	"there is no platform account: marketing mail, and mail of tenants without an account, cannot leave": "es gibt kein Konto der Plattform: Werbung und Mails von Mandanten ohne Konto gehen nicht hinaus",
	"%s: the logo cannot be read: %v: mails go without it":                                               "{1}: das Logo ist nicht lesbar: {2}: Mails gehen ohne es hinaus",
	"%s: the %s stands in clear in this file; %s_file keeps it out":                                      "{1}: das Geheimnis ({2:secret}) steht im Klartext in dieser Datei; mit {3}_file stünde es nicht darin",
	"%s: %s: it is not used":                     "{1}: {2:text}: es wird nicht gebraucht",
	"its %s cannot be read: %s":                  "sein Geheimnis ({1:secret}) ist nicht lesbar: {2:text}",
	"%s is empty":                                "{1} ist leer",
	"%s is not a regular file of at most %d KiB": "{1} ist keine gewöhnliche Datei von höchstens {2} KiB",

	// Secrets.
	"its stored secret was entered for another server or login: enter it again":       "sein gespeichertes Geheimnis wurde für einen anderen Server oder eine andere Anmeldung eingetragen: neu eintragen",
	"its secret cannot be read: %s":                                                   "sein Geheimnis ist nicht lesbar: {1:text}",
	"secret is sealed, and this process holds no key (see secrets.identity_file)":     "das Geheimnis ist versiegelt, und dieser Prozess hat keinen Schlüssel (siehe secrets.identity_file)",
	"the secret is sealed, and this process holds no key (see secrets.identity_file)": "das Geheimnis ist versiegelt, und dieser Prozess hat keinen Schlüssel (siehe secrets.identity_file)",
	"the sealed secret cannot be opened with the keys in secrets.identity_file":       "das versiegelte Geheimnis lässt sich mit den Schlüsseln in secrets.identity_file nicht öffnen",
	"the secret was entered for something else":                                       "das Geheimnis wurde für etwas anderes eingetragen",
	"the secret was sealed before secrets were bound to their server, and secrets.require_bound refuses it (leave that out until rohrpost account reseal has run)":                                                                                         "das Geheimnis wurde versiegelt, bevor Geheimnisse an ihren Server gebunden waren, und secrets.require_bound lässt es nicht zu (weglassen, bis rohrpost account reseal gelaufen ist)",
	"secrets cannot be stored: no key is set up (make one with: rohrpost keygen; see secrets.recipients)":                                                                                                                                                  "Geheimnisse lassen sich nicht speichern: Es ist kein Schlüssel eingerichtet (rohrpost keygen macht einen; siehe secrets.recipients)",
	"its secrets were sealed by an older version, for no server in particular: whoever can write to Redis could use them for another server. Run rohrpost account reseal when all workers are of this version, then set secrets.require_bound: true":       "seine Geheimnisse wurden von einer älteren Version versiegelt, für keinen bestimmten Server: Wer in Redis schreiben kann, könnte sie für einen anderen Server verwenden. Sobald alle Worker diese Version haben, rohrpost account reseal ausführen, dann secrets.require_bound: true setzen",
	"the secrets of %s were sealed by an older version, for no server in particular: whoever can write to Redis could use them for another server. Run rohrpost account reseal when all workers are of this version, then set secrets.require_bound: true": "die Geheimnisse von {1} wurden von einer älteren Version versiegelt, für keinen bestimmten Server: Wer in Redis schreiben kann, könnte sie für einen anderen Server verwenden. Sobald alle Worker diese Version haben, rohrpost account reseal ausführen, dann secrets.require_bound: true setzen",

	// Requests.
	"must be application/json":                             "muss application/json sein",
	"is no JSON with tenant, user, to, language, settings": "ist kein JSON mit tenant, user, to, language, settings",

	// What cannot be done to an account.
	"somebody else has changed it meanwhile: look at it again": "inzwischen hat jemand anders es geändert: noch einmal ansehen",
	"there is no such account":                                 "ein solches Konto gibt es nicht",
	"not allowed":                                              "nicht erlaubt",
	"not allowed for this login":                               "mit dieser Anmeldung nicht erlaubt",
	"%s may not %s at %s: %w":                                  "{1} darf an {3} nicht: {2:step}: {4:sentence}",
	"the tenant's administrator must accept first that the tenant answers for its own mail server":                          "der Administrator des Mandanten muss zuerst bestätigen, dass der Mandant die Verantwortung für den eigenen Mailserver trägt",
	"nothing waits for an operator here: somebody else has decided meanwhile":                                               "hier wartet nichts auf einen Betreiber: inzwischen hat jemand anders entschieden",
	"own mail servers are locked for this tenant: ask an operator of the platform to unlock them (rohrpost account unlock)": "eigene Mailserver sind für diesen Mandanten gesperrt: einen Betreiber der Plattform um die Freischaltung bitten (rohrpost account unlock)",
	"%s: its settings are not checked yet: send a test mail first":                                                          "{1}: Seine Einstellungen sind noch nicht geprüft: zuerst eine Testmail senden",
	"the account cannot be used": "das Konto ist nicht nutzbar",
	"its login was refused, and is not tried again before its settings change":                 "seine Anmeldung wurde abgelehnt und wird vor einer Änderung der Einstellungen nicht wieder versucht",
	"the accounts stand in a file: edit that, or keep them in Redis (accounts.store: redis)":   "die Konten stehen in einer Datei: diese bearbeiten oder die Konten in Redis führen (accounts.store: redis)",
	"the application keeps the accounts itself: edit them there":                               "die Anwendung führt die Konten selbst: dort bearbeiten",
	"too many accounts are being connected at this moment: try again in some minutes":          "gerade werden zu viele Konten verbunden: in einigen Minuten noch einmal versuchen",
	"this sign-in is unknown, was used already, or took more than ten minutes: start it again": "diese Anmeldung ist unbekannt, schon verwendet oder hat länger als zehn Minuten gedauert: neu beginnen",

	// Test mails and examinations.
	"%s cannot be tried: %w":     "{1} lässt sich nicht testen: {2:sentence}",
	"%s cannot be tried: %w: %w": "{1} lässt sich nicht testen: {2:sentence}: {3:sentence}",
	"%s cannot be tried: %w: %s": "{1} lässt sich nicht testen: {2:sentence}: {3:sentence}",
	"a test mail goes to your own address, to the account's or to its administrator's: only an operator may name another recipient": "eine Testmail geht an Ihre eigene Adresse, an die des Kontos oder an die seines Administrators: Nur ein Betreiber darf einen anderen Empfänger nennen",
	"to: %w; none of these is known here: an operator enters your address (web.users: address)":                                     "{1:sentence}; keine davon ist hier bekannt: Ein Betreiber trägt Ihre Adresse ein (web.users: address)",
	"to: %w (known here: %s)":                             "{1:sentence} (hier bekannt: {2})",
	"this account was checked too often":                  "dieses Konto wurde zu oft geprüft",
	"%v: try again in %v":                                 "{1:sentence}: in {2} noch einmal versuchen",
	"checks are not possible while Redis does not answer": "Prüfungen sind nicht möglich, solange Redis nicht antwortet",
	"another test mail or examination of this tenant is under way: wait for its answer":                                                                                                        "eine andere Testmail oder Untersuchung dieses Mandanten läuft: deren Antwort abwarten",
	"no worker is running, and the web part tries nothing itself: start one (rohrpost worker), then try again":                                                                                 "es läuft kein Worker, und der Webteil versucht selbst nichts: einen starten (rohrpost worker), dann noch einmal versuchen",
	"all workers are busy with other test mails: try again in a minute":                                                                                                                        "alle Worker sind mit anderen Testmails beschäftigt: in einer Minute noch einmal versuchen",
	"the worker that tried it has ended: nobody knows whether a test mail went out. Look into the mailbox, then try again":                                                                     "der Worker, der es versuchte, wurde beendet: Ob eine Testmail hinausging, ist unklar. Ins Postfach sehen, dann noch einmal versuchen",
	"the server took too long: nobody knows whether a test mail went out. Look into the mailbox, then try again":                                                                               "der Server hat zu lange gebraucht: Ob eine Testmail hinausging, ist unklar. Ins Postfach sehen, dann noch einmal versuchen",
	"Redis does not answer: nobody knows whether a test mail went out. Look into the mailbox, then try again":                                                                                  "Redis antwortet nicht: Ob eine Testmail hinausging, ist unklar. Ins Postfach sehen, dann noch einmal versuchen",
	"a worker could not try it: the operator finds the reason in the worker's log":                                                                                                             "ein Worker konnte es nicht versuchen: Den Grund findet der Betreiber im Protokoll des Workers",
	"settings with a secret that are not stored cannot be handed to a worker, because no key is set up: the operator makes one (rohrpost keygen) and sets secrets.recipients for the web part": "nicht gespeicherte Einstellungen mit einem Geheimnis lassen sich keinem Worker übergeben, weil kein Schlüssel eingerichtet ist: Der Betreiber macht einen (rohrpost keygen) und setzt secrets.recipients für den Webteil",
	"the worker cannot open what the web part has sealed: the operator sets secrets.identity_file of all workers to a key that secrets.recipients of the web part names":                       "der Worker kann nicht öffnen, was der Webteil versiegelt hat: Der Betreiber setzt secrets.identity_file aller Worker auf einen Schlüssel, den secrets.recipients des Webteils nennt",
	"the account's stored secret was entered for another server or login: enter it again":                                                                                                      "das gespeicherte Geheimnis des Kontos wurde für einen anderen Server oder eine andere Anmeldung eingetragen: neu eintragen",
	"the account's secret cannot be read; the operator finds the reason with: rohrpost account show":                                                                                           "das Geheimnis des Kontos ist nicht lesbar; den Grund findet der Betreiber mit: rohrpost account show",
	"it could not be done now; the operator finds the reason in the log":                                                                                                                       "das ging jetzt nicht; den Grund findet der Betreiber im Protokoll",
}

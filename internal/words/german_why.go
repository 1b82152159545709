package words

// germanWhy are why an account sends, or does not, by the format of the English.
var germanWhy = map[string]string{
	"%s; %s.": "{1:sentence}; {2:sentence}.",

	// Why it sends.
	"A program sends":            "Ein Programm sendet",
	"A person sends":             "Eine Person sendet",
	"This account was asked for": "Dieses Konto wurde verlangt",
	"Marketing mail always leaves through the platform's account":        "Werbung geht immer über das Konto der Plattform hinaus",
	"The mail is the platform's own":                                     "Die Mail ist die der Plattform selbst",
	"%s who has no account in use, so the %s's serves":                   "{1:sentence}, die kein Konto in Gebrauch hat, daher dient das Konto {2:owner}",
	"%s and the %s has no account in use, so the %s's serves":            "{1:sentence}, und das Konto {2:owner} fehlt oder ist nicht in Gebrauch, daher dient das Konto {3:owner}",
	"%s and neither %s nor %s has an account in use, so the %s's serves": "{1:sentence}, und weder ein Konto {2:owner} noch eines {3:owner} ist in Gebrauch, daher dient das Konto {4:owner}",
	"%s, and has an own account":                                         "{1:sentence} und hat ein eigenes Konto",
	"%s, and for that the tenant's account goes first":                   "{1:sentence}, und dafür geht das Konto des Mandanten vor",
	"The tenant's own order has the %s's account first":                  "In der eigenen Reihenfolge des Mandanten steht das Konto {1:owner} vorn",

	// Why with this From.
	"From is the tenant's central sender address":                                       "Absender ist die zentrale Absenderadresse des Mandanten",
	"From is the account's address":                                                     "Absender ist die Adresse des Kontos",
	"From is the account's address, which it forces whatever is asked for":              "Absender ist die Adresse des Kontos, das keine andere zulässt",
	"From is the account's address, because the one asked for is not among its aliases": "Absender ist die Adresse des Kontos, weil die gewünschte nicht unter seinen weiteren Absendern ist",
	"From is the address asked for, which the account allows":                           "Absender ist die gewünschte Adresse, die das Konto zulässt",

	// Why it does not.
	"the %s's account goes first here":                                                            "hier geht das Konto {1:owner} vor",
	"OAuth2 goes before SMTP; the SMTP settings stay stored":                                      "OAuth2 geht vor SMTP; die SMTP-Einstellungen bleiben gespeichert",
	"the tenant's own order leaves it out":                                                        "die eigene Reihenfolge des Mandanten lässt es aus",
	"it is switched off in favour of the platform's (use_platform_default)":                       "es ist zugunsten des Kontos der Plattform ausgeschaltet",
	"marketing mail leaves through the platform's account only":                                   "Werbung geht nur über das Konto der Plattform hinaus",
	"it is locked: the platform must unlock own servers of this tenant (rohrpost account unlock)": "es ist gesperrt: Die Plattform muss eigene Server dieses Mandanten freischalten (rohrpost account unlock)",
	"its settings are not checked: send a test mail (rohrpost account test)":                      "seine Einstellungen sind nicht geprüft: eine Testmail senden (rohrpost account test)",
	"it is checked and waits for the platform's approval (rohrpost account approve)":              "es ist geprüft und wartet auf die Freigabe durch die Plattform (rohrpost account approve)",
	"it is not active":         "es ist nicht aktiv",
	"none is set up":           "keines ist eingerichtet",
	"the mail names no tenant": "die Mail nennt keinen Mandanten",
	"the mail names no user":   "die Mail nennt keinen Benutzer",
	"the tenant has none":      "der Mandant hat keines",
	"the user has none":        "der Benutzer hat keines",

	"no account can send this mail": "kein Konto kann diese Mail senden",
	"no account can send this mail; %s; set up the platform's account, which serves all who have none": "kein Konto kann diese Mail senden; {1:list}; das Konto der Plattform einrichten, das allen dient, die keines haben",
	"user: %s":     "Benutzer: {1:sentence}",
	"tenant: %s":   "Mandant: {1:sentence}",
	"platform: %s": "Plattform: {1:sentence}",

	// What waits, and who sends meanwhile.
	"The account %s is parked since its login or its right to send was refused, and the tenant allows the platform's as fallback; From is the platform's address, answers go where they would have gone.": "Das Konto {1} ist gestoppt, seit seine Anmeldung oder seine Berechtigung zum Senden abgelehnt wurde, und der Mandant erlaubt das der Plattform als Ersatz; Absender ist die Adresse der Plattform, Antworten gehen dorthin, wohin sie sonst gegangen wären.",
	"it is parked since its login or its right to send was refused":                                   "es ist gestoppt, seit seine Anmeldung oder seine Berechtigung zum Senden abgelehnt wurde",
	"while this account is parked, the platform's sends (the tenant allows it): From %s, Reply-To %s": "solange dieses Konto gestoppt ist, sendet das der Plattform (der Mandant erlaubt es): Absender {1}, Antworten an {2}",
	"the platform's account cannot send at the moment: its operator has to act":                       "das Konto der Plattform kann gerade nicht senden: Ihr Betreiber muss handeln",
	"its secret cannot be read; the operator finds the reason with: rohrpost account show":            "sein Geheimnis ist nicht lesbar; den Grund findet der Betreiber mit: rohrpost account show",
	"the account is parked since %s": "das Konto ist gestoppt seit {1}",
}

package dashboard

import "github.com/rohrpost/rohrpost/internal/web/ui"

// texts are what is said about the buttons.
var texts = map[string]ui.Pair{
	"buttons": {
		"What the buttons do here: Delete cancels a mail, Run sends it now or again, Pause holds a queue. Delete All, Archive and Cancel do nothing. Each act is written down: rohrpost queue history.",
		"Was die Knöpfe hier tun: „Delete“ bricht eine Mail ab, „Run“ sendet sie jetzt oder erneut, „Pause“ hält eine Warteschlange an. „Delete All“, „Archive“ und „Cancel“ tun nichts. Alles wird festgehalten: rohrpost queue history.",
	},
	"did_cancel":       {"%d of %d mails canceled.", "%d von %d Mails abgebrochen."},
	"did_retry":        {"%d of %d mails are sent again.", "%d von %d Mails werden erneut gesendet."},
	"did_reschedule":   {"%d of %d mails are tried now.", "%d von %d Mails werden jetzt versucht."},
	"did_delete":       {"%d of %d tasks deleted: no mail of rohrpost was in it.", "%d von %d Aufgaben gelöscht: keine Mail von rohrpost war darin."},
	"did_pause":        {"The queue %s is paused: nothing leaves it until it is resumed.", "Die Warteschlange %s ist angehalten: nichts geht hinaus, bis sie fortgesetzt wird."},
	"did_resume":       {"The queue %s goes on.", "Die Warteschlange %s läuft weiter."},
	"did_not":          {"Of the first that was not:", "Zur ersten, bei der es nicht ging:"},
	"act_silent":       {"The server has not answered: whether it was done is not known. Reload the page.", "Der Server hat nicht geantwortet: ob es getan wurde, ist nicht bekannt. Die Seite neu laden."},
	"act_unknown":      {"Nothing was done: rohrpost does not know this act.", "Nichts wurde getan: rohrpost kennt diese Aktion nicht."},
	"act_delete_all":   {"Nothing was deleted: no click throws away all mails. Select mails and press Delete, which cancels them, or use: rohrpost cancel ID…", "Nichts wurde gelöscht: kein Klick wirft alle Mails weg. Mails auswählen und „Delete“ drücken, das bricht sie ab, oder: rohrpost cancel ID…"},
	"act_archive":      {"Nothing was archived: nobody would send the mail any more. Delete cancels it, Pause holds the queue; to put it off: rohrpost reschedule ID TIME", "Nichts wurde archiviert: niemand würde die Mail mehr senden. „Delete“ bricht sie ab, „Pause“ hält die Warteschlange an; zum Verschieben: rohrpost reschedule ID ZEIT"},
	"act_interrupt":    {"Nothing was stopped: a worker has the mail in hand, and its server may have it already. If it has not left: rohrpost cancel ID", "Nichts wurde gestoppt: die Mail wird gerade gesendet, und ihr Server hat sie vielleicht schon. Falls sie noch nicht hinaus ist: rohrpost cancel ID"},
	"act_delete_queue": {"Nothing was deleted: a queue stays, applications put mails into it at any time. Pause holds it.", "Nichts wurde gelöscht: eine Warteschlange bleibt, Anwendungen stellen jederzeit Mails ein. „Pause“ hält sie an."},
	"act_unwritten":    {"Nothing was done, since it could not be written down who does it. The reason is in rohrpost's log.", "Nichts wurde getan, weil sich nicht festhalten ließ, wer es tut. Der Grund steht im Protokoll von rohrpost."},
	"act_body":         {"Nothing was done: the request names no mails, or more than 1,000.", "Nichts wurde getan: die Anfrage nennt keine Mails oder mehr als 1.000."},
	"act_no_task":      {"It is not here any more: it was sent, canceled or moved meanwhile.", "Sie ist nicht mehr hier: inzwischen gesendet, abgebrochen oder verschoben."},
	"act_no_mail":      {"It is no mail of rohrpost; all that can be done is Delete.", "Das ist keine Mail von rohrpost; es hilft nur „Delete“."},
	"act_newer":        {"A newer version of rohrpost has written it: update this one.", "Eine neuere Version von rohrpost hat sie geschrieben: diese hier aktualisieren."},
	"act_waits":        {"It waits for a worker already, and is next when one is free.", "Sie wartet schon auf den Versand und ist an der Reihe, sobald ein Platz frei ist."},
	"act_young":        {"The ledger does not know it yet: it is just being enqueued. Try again in ten minutes.", "Das Hauptbuch kennt sie noch nicht: sie wird gerade eingestellt. In zehn Minuten noch einmal versuchen."},
	"act_no_time":      {"The time was up. Press again for the rest.", "Die Zeit war um. Für den Rest noch einmal drücken."},
	"act_no_record":    {"The ledger does not know it (any more). It is sent as it is, or Delete removes it.", "Das Hauptbuch kennt sie nicht (mehr). Sie wird gesendet, wie sie ist, oder „Delete“ entfernt sie."},
	"act_final":        {"It has ended, or is held because nobody knows whether it was sent. See: rohrpost status ID. To send it again: rohrpost retry ID", "Sie ist abgeschlossen oder wird festgehalten, weil niemand weiß, ob sie gesendet wurde. Siehe: rohrpost status ID. Erneut senden: rohrpost retry ID"},
	"act_sending":      {"A worker has it in hand at this moment. Try again in a minute.", "Sie wird gerade gesendet. In einer Minute noch einmal versuchen."},
	"act_nothing":      {"It was accepted or canceled: there is nothing to send again.", "Sie wurde angenommen oder abgebrochen: es gibt nichts erneut zu senden."},
	"act_content":      {"Its content is not kept any more. Send it again from the application.", "Ihr Inhalt ist nicht mehr da. In der Anwendung erneut senden."},
	"act_expires":      {"Its time runs out at this moment.", "Ihre Zeit läuft gerade ab."},
	"act_failed":       {"It could not be done now. The reason is in rohrpost's log.", "Das ging jetzt nicht. Der Grund steht im Protokoll von rohrpost."},
}

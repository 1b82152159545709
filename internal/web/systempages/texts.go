package systempages

import (
	"maps"

	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// texts are the words of all pages of the area.
func texts() map[string]ui.Pair {
	all := map[string]ui.Pair{}
	for _, some := range []map[string]ui.Pair{overviewTexts, redisTexts, checkTexts, findingTexts, historyTexts} {
		maps.Copy(all, some)
	}
	return all
}

var overviewTexts = map[string]ui.Pair{
	"queues":           {"Queues", "Warteschlangen"},
	"paused_means":     {"Nothing leaves it until an operator resumes it.", "Daraus geht nichts hinaus, bis ein Betreiber sie fortsetzt."},
	"sections":         {"Pages of the system", "Seiten zum System"},
	"section_overview": {"System", "System"},
	"section_check":    {"Check of the queues", "Prüfung der Warteschlangen"},
	"section_history":  {"History of the operators", "Verlauf der Betreiber"},
	"unread":           {"Redis has not told this. Reload the page soon; the reason is in rohrpost's log.", "Redis hat das nicht mitgeteilt. Die Seite bald neu laden; der Grund steht im Protokoll von rohrpost."},
	"reload":           {"Reload", "Neu laden"},
	"back_to":          {"Back", "Zurück"},
	"fail_unwritten":   {"Nothing was done, since it could not be written down who does it. The reason is in rohrpost's log.", "Nichts wurde getan, weil sich nicht festhalten ließ, wer es tut. Der Grund steht im Protokoll von rohrpost."},
	"fail_redis":       {"It could not be done now. The reason is in rohrpost's log.", "Das ging jetzt nicht. Der Grund steht im Protokoll von rohrpost."},
	"done_paused":      {"The queue “%s” is paused: nothing leaves it until somebody resumes it.", "Die Warteschlange „%s“ ist angehalten: Daraus geht nichts hinaus, bis jemand sie fortsetzt."},
	"done_resumed":     {"The queue “%s” goes on.", "Die Warteschlange „%s“ läuft weiter."},

	"workers":          {"Workers", "Worker"},
	"no_worker":        {"No worker is running: no mail leaves.", "Kein Worker läuft: Keine Mail geht hinaus."},
	"no_worker_remedy": {"Start one with “rohrpost worker” or “rohrpost serve”. If one should be running, its log says why it does not, or why it does not reach Redis.", "Mit „rohrpost worker“ oder „rohrpost serve“ einen starten. Falls einer laufen sollte, steht in seinem Protokoll, warum er es nicht tut oder warum er Redis nicht erreicht."},
	"worker_1":         {"One worker is running. It sends up to %s mails at a time.", "Ein Worker läuft. Er sendet bis zu %s Mails gleichzeitig."},
	"worker_n":         {"%s workers are running. Together they send up to %s mails at a time.", "%s Worker laufen. Zusammen senden sie bis zu %s Mails gleichzeitig."},
	"worker_host":      {"Machine", "Rechner"},
	"worker_pid":       {"process %d", "Prozess %d"},
	"worker_state":     {"State", "Zustand"},
	"worker_alive":     {"is running", "läuft"},
	"worker_silent":    {"silent for %s", "meldet sich nicht seit: %s"},
	"worker_slots":     {"Mails at a time", "Mails gleichzeitig"},
	"worker_version":   {"Version", "Version"},
	"worker_since":     {"Started", "Gestartet"},

	"queue_paused":  {"The queue “%s” is paused", "Die Warteschlange „%s“ ist angehalten"},
	"queue_since":   {"since %s", "seit %s"},
	"queue_by":      {"by %s", "von %s"},
	"queue_oldest":  {"Next one ready for", "Nächste bereit seit"},
	"queue_act":     {"Action", "Aktion"},
	"pause":         {"Pause", "Anhalten"},
	"resume":        {"Resume", "Fortsetzen"},
	"queues_single": {"Single mails of the queues", "Einzelne Mails der Warteschlangen"},

	"backlogs":       {"Mails that wait for their accounts", "Mails, die auf ihre Konten warten"},
	"backlogs_none":  {"No mail waits for an account.", "Keine Mail wartet auf ein Konto."},
	"backlogs_about": {"Waiting mails: %s, accounts: %s (counted at %s).", "Wartende Mails: %s, betroffene Konten: %s (gezählt um %s)."},
	"backlogs_more":  {"There are more accounts, which were not counted.", "Es gibt weitere Konten, die nicht mitgezählt wurden."},
	"counting":       {"They are being counted.", "Sie werden gerade gezählt."},
	"by_reason":      {"By reason", "Nach Grund"},
	"by_account":     {"The accounts with most mails", "Die Konten mit den meisten Mails"},
	"reason":         {"Reason", "Grund"},
	"mails":          {"Mails", "Mails"},
	"waiting_since":  {"Oldest waits since", "Älteste wartet seit"},
}

var redisTexts = map[string]ui.Pair{
	"verdict_good":      {"in order", "in Ordnung"},
	"verdict_bad":       {"to be mended", "zu beheben"},
	"verdict_warn":      {"nearly full", "fast voll"},
	"verdict_full":      {"full", "voll"},
	"verdict_unsure":    {"perhaps to be mended", "vielleicht zu beheben"},
	"verdict_untold":    {"not known", "nicht bekannt"},
	"verdict_unlimited": {"no limit", "keine Grenze"},

	"redis_memory":     {"Memory", "Speicher"},
	"memory_used":      {"%d %% in use: %s of %s.", "Zu %d %% belegt: %s von %s."},
	"memory_warn":      {"Above 90 % applications cannot enqueue mails. Raise maxmemory, or lower limits.waiting_bytes_per_tenant.", "Über 90 % können Anwendungen keine Mails mehr einstellen. maxmemory erhöhen oder limits.waiting_bytes_per_tenant senken."},
	"memory_full":      {"Applications cannot enqueue mails; those that are there are still sent. Raise maxmemory, or lower limits.waiting_bytes_per_tenant.", "Anwendungen können keine Mails mehr einstellen; vorhandene werden noch gesendet. maxmemory erhöhen oder limits.waiting_bytes_per_tenant senken."},
	"memory_unlimited": {"%s in use, and maxmemory is not set: nobody warns before the machine's memory is full. Set it: CONFIG SET maxmemory 4gb", "%s belegt, und maxmemory ist nicht gesetzt: Niemand warnt, bevor der Speicher des Rechners voll ist. Setzen: CONFIG SET maxmemory 4gb"},
	"memory_untold":    {"Redis does not tell how full it is, so nobody warns and nobody is refused. Allow its user INFO (ACL +info).", "Redis teilt nicht mit, wie voll es ist, daher warnt niemand und nichts wird abgewiesen. Seinem Benutzer INFO erlauben (ACL +info)."},

	"redis_version":            {"Version", "Version"},
	"redis_version_good":       {"It has all commands that rohrpost uses.", "Sie hat alle Befehle, die rohrpost benutzt."},
	"redis_version_bad":        {"It lacks commands that rohrpost uses. Update to 7 or later.", "Ihr fehlen Befehle, die rohrpost benutzt. Auf 7 oder neuer aktualisieren."},
	"redis_eviction":           {"When the memory is full", "Bei vollem Speicher"},
	"redis_eviction_good":      {"Redis deletes nothing to make room.", "Redis löscht nichts, um Platz zu schaffen."},
	"redis_eviction_bad":       {"Redis deletes queued mails to make room. Change it: CONFIG SET maxmemory-policy noeviction", "Redis löscht wartende Mails, um Platz zu schaffen. Ändern: CONFIG SET maxmemory-policy noeviction"},
	"redis_eviction_untold":    {"Redis does not tell whether it deletes mails. Allow its user INFO (ACL +info).", "Redis teilt nicht mit, ob es Mails löscht. Seinem Benutzer INFO erlauben (ACL +info)."},
	"redis_persistence":        {"After a restart", "Nach einem Neustart"},
	"redis_persistence_good":   {"Redis keeps the mails on disk.", "Redis hält die Mails auf der Platte."},
	"redis_persistence_bad":    {"Redis keeps nothing on disk: a restart loses all mails that wait. Change it: CONFIG SET appendonly yes", "Redis hält nichts auf der Platte: Ein Neustart verliert alle wartenden Mails. Ändern: CONFIG SET appendonly yes"},
	"redis_persistence_unsure": {"Redis does not append to a file, and does not tell whether it takes snapshots. Without any, a restart loses all mails that wait. Change it: CONFIG SET appendonly yes", "Redis schreibt keine AOF-Datei und teilt nicht mit, ob es Snapshots anlegt. Ohne sie verliert ein Neustart alle wartenden Mails. Ändern: CONFIG SET appendonly yes"},
	"redis_persistence_untold": {"Redis does not tell whether it keeps the mails on disk. Allow its user INFO (ACL +info).", "Redis teilt nicht mit, ob es die Mails auf der Platte hält. Seinem Benutzer INFO erlauben (ACL +info)."},
	"redis_replication":        {"Replicas", "Replikate"},
	"redis_replication_good":   {"Redis takes mails only if a replica gets them.", "Redis nimmt Mails nur an, wenn ein Replikat sie erhält."},
	"redis_replication_bad":    {"Redis takes mails that no replica gets, and a fail-over loses them. Change it: CONFIG SET min-replicas-to-write 1", "Redis nimmt Mails an, die kein Replikat erhält; ein Failover verliert sie. Ändern: CONFIG SET min-replicas-to-write 1"},
	"redis_clock":              {"Clock", "Uhr"},
	"redis_clock_good":         {"The clocks of Redis and of this machine agree.", "Die Uhren von Redis und diesem Rechner stimmen überein."},
	"redis_clock_bad":          {"The clocks of Redis and of this machine differ: mails leave too early or too late. Synchronize both by NTP.", "Die Uhren von Redis und diesem Rechner weichen voneinander ab: Mails gehen zu früh oder zu spät hinaus. Beide per NTP abgleichen."},
	"redis_skew":               {"They differ by %s.", "Abweichung: %s."},
	"redis_servers":            {"Servers:", "Server:"},
}

var historyTexts = map[string]ui.Pair{
	"history_time":      {"Time", "Zeit"},
	"history_who":       {"Who", "Wer"},
	"history_from":      {"From", "Von"},
	"history_act":       {"Act", "Aktion"},
	"history_outcome":   {"Outcome", "Ergebnis"},
	"history_about":     {"About", "Betrifft"},
	"history_of":        {"%s of %s", "%s von %s"},
	"history_more":      {"and %s more", "und %s weitere"},
	"history_exactly":   {"The name must be the whole name, as it stands in the table. The latest 10,000 acts are kept.", "Der Name muss der ganze Name sein, wie er in der Tabelle steht. Aufbewahrt werden die letzten 10.000 Aktionen."},
	"history_none":      {"Nobody has done anything yet.", "Noch hat niemand etwas getan."},
	"history_none_like": {"No act fits this choice.", "Keine Aktion passt zu dieser Auswahl."},
	"history_latest":    {"Latest", "Neueste"},
}

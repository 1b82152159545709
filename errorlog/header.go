package errorlog

import (
	"strconv"
	"strings"
	"time"
)

// A Header is what an exported file says about itself.
type Header struct {
	From       time.Time `json:"from"` // of the window, inclusive
	To         time.Time `json:"to"`
	TimeZone   string    `json:"time_zone"` // as "CET +01:00"
	Tenant     string    `json:"tenant"`    // empty: the platform itself, unless AllTenants
	AllTenants bool      `json:"all_tenants"`
	Category   string    `json:"category"` // of the filter, as are the next three
	JobID      string    `json:"job_id"`
	Recipient  string    `json:"recipient"` // masked as in the entries
	Limit      int       `json:"limit"`     // 0: none
	Order      string    `json:"order"`     // newest_first or oldest_first
	Entries    int64     `json:"entries"`   // in this file
	MaxEntries int64     `json:"max_entries"`
	MaxBytes   int64     `json:"max_bytes"`
	Cut        []Cut     `json:"cut"` // what the log lost to MaxEntries or MaxBytes
}

// A Cut says what a tenant's log has lost because it held MaxEntries, or MaxBytes.
type Cut struct {
	Tenant   string    `json:"tenant"`
	Dropped  int64     `json:"dropped"`        // older entries, since the log was complete last
	Complete time.Time `json:"complete_since"` // nothing later was dropped
}

func (l *Log) header(w *window, entries int64) Header {
	zone := l.zone(w.filter)
	h := Header{
		From: time.UnixMilli(w.from).In(zone), To: time.UnixMilli(w.to).In(zone),
		TimeZone: l.now().In(zone).Format("MST -07:00"),
		Tenant:   w.filter.Tenant, AllTenants: w.filter.AllTenants,
		Category: w.filter.Category, JobID: w.filter.JobID, Recipient: w.filter.Recipient,
		Limit: w.filter.Limit, Order: "newest_first",
		Entries: entries, MaxEntries: l.maxEntries, MaxBytes: l.maxBytes, Cut: []Cut{},
	}
	if w.filter.OldestFirst {
		h.Order = "oldest_first"
	}
	if h.Recipient != "" && !l.showRecipients {
		h.Recipient = maskAddress(h.Recipient)
	}
	for _, s := range w.states {
		if s.dropped > 0 {
			h.Cut = append(h.Cut, Cut{Tenant: s.tenant, Dropped: s.dropped, Complete: s.since})
		}
	}
	return h
}

// A line is a label and what it says.
type line struct{ label, value string }

// lines are the header for people: texts of one line each.
func (h Header) lines(w *words) []line {
	out := []line{
		{w.window, formatTime(h.From) + " – " + formatTime(h.To) + " (" + h.TimeZone + ")"},
		{w.tenant, w.tenantName(h.Tenant)},
		{w.filter, h.filter(w)},
		{w.order, w.orders[h.Order]},
		{w.entries, strconv.FormatInt(h.Entries, 10)},
	}
	if h.AllTenants {
		out[1].value = w.allTenants
	}
	for _, c := range h.Cut {
		out = append(out, line{w.cut, w.cutText(h, c)})
	}
	for i := range out {
		out[i].value = flat(out[i].value)
	}
	return out
}

func (h Header) filter(w *words) string {
	var parts []string
	for _, f := range []line{{w.category, h.Category}, {w.job, h.JobID}, {w.recipients, h.Recipient}} {
		if f.value != "" {
			parts = append(parts, f.label+" "+f.value)
		}
	}
	if h.Limit > 0 {
		parts = append(parts, w.limit+" "+strconv.Itoa(h.Limit))
	}
	if len(parts) == 0 {
		return w.none
	}
	return strings.Join(parts, " · ")
}

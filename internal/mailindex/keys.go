package mailindex

import (
	"net/url"
	"strconv"
	"time"
)

const (
	prefix = "rohrpost:mails:"
	// secretKey is the installation's key of all fingerprints: a string that never ends.
	secretKey = prefix + "key"
	// tenantsKey is a sorted set of score 0: the tenants that have sent, for pages by name.
	tenantsKey = prefix + "tenants"
)

// tenantKey is one of the keys of a tenant, all in one Cluster slot. Its name stands
// escaped in the hash tag, so no name can leave it; that of the platform, and of all
// tenants together, is one that no escaped name looks like.
func tenantKey(tenant, name string) string {
	if tenant == "" {
		return taggedKey("@platform", name)
	}
	return taggedKey(url.QueryEscape(tenant), name)
}

func taggedKey(tag, name string) string { return prefix + "{" + tag + "}:" + name }

// blockKey is the journal of an hour, counted since 1970: entries one after the other.
func blockKey(tenant string, hour int64) string {
	return tenantKey(tenant, "journal:"+strconv.FormatInt(hour, 10))
}

// noteKeys are a sorted set of entries by state and time (score), and one of the same
// entries by when their records end (Unix ms).
func noteKeys(tenant string) []string {
	return []string{tenantKey(tenant, "notes"), tenantKey(tenant, "notes:ends")}
}

// countsKey is a hash of a day, counted since 1970: "<hour>:<what>" to how many.
func countsKey(tenant string, day int64) string {
	return tenantKey(tenant, countsName(day))
}

// allCountsKey is that of all tenants together. Workers alone write it, in sums, some four
// times a second each: one key carries that.
func allCountsKey(day int64) string { return taggedKey("@all", countsName(day)) }

func countsName(day int64) string { return "counts:" + strconv.FormatInt(day, 10) }

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// SameHour reports whether mails that were enqueued at these times stand in one block.
func SameHour(a, b time.Time) bool { return hourOf(a) == hourOf(b) }

func hourTime(hour int64) time.Time { return time.Unix(hour*3600, 0).UTC() }

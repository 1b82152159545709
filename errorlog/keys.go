package errorlog

import "net/url"

const (
	prefix      = "rohrpost:errors:"
	indexKey    = prefix + "tenants"   // ZSET: tenant → time of its newest entry in Unix ms
	hmacKeyName = prefix + "recipient" // string: the key of the recipients' HMAC; never ends
)

// tenantKeys are the stream and what belongs to it; roll.lua explains them. The
// name stands escaped in the hash tag, so no name can leave it. The platform is
// "@platform", which no escaped name looks like; an empty tag would be none at all.
func tenantKeys(tenant string) []string {
	name := "@platform"
	if tenant != "" {
		name = url.QueryEscape(tenant)
	}
	stream := prefix + "{" + name + "}"
	return []string{stream, stream + ":late", stream + ":state"}
}

func streamKey(tenant string) string { return tenantKeys(tenant)[0] }

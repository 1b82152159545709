package errorlog_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

type exported struct {
	text    string
	summary errorlog.Summary
}

func (f fixture) export(t *testing.T, filter errorlog.Filter) exported {
	t.Helper()
	return f.exportAs(t, filter, errorlog.JSONL, "en")
}

func (f fixture) exportAs(t *testing.T, filter errorlog.Filter, format errorlog.Format, lang string) exported {
	t.Helper()
	var b bytes.Buffer
	sum, err := f.Export(t.Context(), &b, filter, format, lang)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Bytes != int64(b.Len()) {
		t.Errorf("summary says %d bytes, the file has %d", sum.Bytes, b.Len())
	}
	return exported{b.String(), sum}
}

// openCluster is a client of the one-node cluster at addr, once it serves all slots.
func openCluster(t *testing.T, addr string) redis.UniversalClient {
	t.Helper()
	client, err := redisconn.Open(redisconn.Options{URL: "redis+cluster://" + addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for range 1000 {
		if err = client.Set(t.Context(), "ready", "", 0).Err(); err == nil {
			return client
		}
		<-ticker.C
	}
	t.Fatal(err)
	return nil
}

package failure

import (
	"strings"
	"testing"
)

func BenchmarkClassify(b *testing.B) {
	for name, c := range map[string]Cause{
		"known":   reply(StageRcpt, 550, "5.1.1 <a@example.org>: Recipient address rejected: User unknown"),
		"unknown": reply(StageDot, 450, "xyzzy"),
		"8 KB":    reply(StageDot, 550, long(8<<10)),
		"huge":    reply(StageDot, 450, strings.Repeat("a@.?b=", 1<<18)),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = Classify(c)
			}
		})
	}
}

// long is a reply of so many bytes, as a server might write it that says everything.
func long(size int) string {
	const line = "5.7.1 Your message of <info@x.example> was not taken: see https://postmaster.example.org/help for what may be done about it.|"
	return strings.TrimSuffix(strings.Repeat(line, size/len(line)+1)[:size], "|")
}

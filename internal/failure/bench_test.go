package failure

import (
	"strings"
	"testing"
)

func BenchmarkClassify(b *testing.B) {
	for name, c := range map[string]Cause{
		"known":   reply(StageRcpt, 550, "5.1.1 <a@example.org>: Recipient address rejected: User unknown"),
		"unknown": reply(StageDot, 450, "xyzzy"),
		"huge":    reply(StageDot, 450, strings.Repeat("a@.?b=", 1<<18)),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = Classify(c)
			}
		})
	}
}

package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/transport/api"
)

// TestReaddressIsLinear: in the mail, in one field of its header, in its recipients.
func TestReaddressIsLinear(t *testing.T) {
	mails := map[string]func(size int) (mail string, recipients []string){
		"recipients": func(size int) (string, []string) {
			var list []string
			for i := range size / 30 {
				list = append(list, fmt.Sprintf("kunde%d@bücher.example", i))
			}
			return "To: " + strings.Join(list[:len(list)/2], ",\r\n ") + "\r\n\r\n", list
		},
		"fields":  func(size int) (string, []string) { return strings.Repeat("X: y\r\n", size/6) + "\r\n", nil },
		"folding": func(size int) (string, []string) { return "X: y" + strings.Repeat("\r\n y", size/4) + "\r\n\r\n", nil },
		"spaces": func(size int) (string, []string) {
			return "To:" + strings.Repeat(" ", size) + "a@b.example\r\n\r\n", nil
		},
		"comments": func(size int) (string, []string) {
			return "To: " + strings.Repeat("(", size) + "a@b.example\r\n\r\n", nil
		},
	}
	for _, s := range growthtest.Shapes() {
		mails["body of "+s.Name] = func(size int) (string, []string) {
			return "To: a@b.example\r\n\r\n" + s.Make(size), []string{"a@b.example"}
		}
		mails["To of "+s.Name] = func(size int) (string, []string) {
			text := strings.NewReplacer("\r", "", "\n", "").Replace(s.Make(size))
			return "To: " + text + "\r\n\r\n", []string{"a@b.example"}
		}
	}
	for name, build := range mails {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 64<<10, func(size int) func() {
				mail, recipients := build(size)
				return func() { _, _, _ = api.Readdress([]byte(mail), recipients) }
			})
		})
	}
}

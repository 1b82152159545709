package configs

import "testing"

func TestSize(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want Size
		text string // "" : an error
	}{
		"25MiB": {25 * MiB, "25MiB"}, "1 KiB": {KiB, "1KiB"}, "2GiB": {2 * GiB, "2GiB"}, "1024": {KiB, "1KiB"}, "0": {0, "0"}, "1000": {1000, "1000"},
		"": {}, "MiB": {}, "25MB": {}, "-1KiB": {}, "1.5MiB": {}, "9999999999GiB": {}, "1MiBKiB": {},
	}
	for in, tt := range tests {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSize(in)
			if (err != nil) != (tt.text == "") || got != tt.want {
				t.Fatalf("%d, %v", got, err)
			}
			if err == nil && got.String() != tt.text {
				t.Errorf("printed %s, want %s", got, tt.text)
			}
		})
	}
}

func FuzzFile(f *testing.F) {
	f.Add(Template())
	f.Add("web: {users: [{name: &a max}, {name: *a}]}")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		l := newLoader()
		l.file("x", []byte(text)) // must not panic, nor run forever
		if len(l.errs) == 0 {
			l.config.problems()
		}
	})
}

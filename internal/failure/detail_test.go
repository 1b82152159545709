package failure

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDetail: a failure is the same after it was kept, and its JSON form is the one that
// processes of other versions read.
func TestDetail(t *testing.T) {
	t.Parallel()
	f := Classify(reply(StageAuth, 535, "5.7.8 Username and Password not accepted"))
	d := f.Detail()
	text, err := json.Marshal(struct {
		Subject string `json:"subject"`
		Detail
	}{"info@acme.example", d})
	const want = `{"subject":"info@acme.example","stage":"auth","class":"config","category":"auth_failed","rule":19,` +
		`"code":535,"enhanced":"5.7.8","diagnostic":"5.7.8 Username and Password not accepted"}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	var read Detail
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, read.Failure(), cmp.AllowUnexported(Failure{})); diff != "" {
		t.Errorf("(-failure +kept):\n%s", diff)
	}
}

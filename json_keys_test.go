package rohrpost_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// TestKeysOnce: who reads the first of two equal keys and who reads the last would not
// see the same mail.
func TestKeysOnce(t *testing.T) {
	t.Parallel()
	const rest = `"to":"a@example.org","text":"x"`
	var many string
	for i := range 100 {
		many += fmt.Sprintf(`,"k%d":"x"`, i)
	}
	many = many[1:]
	for name, tt := range map[string]struct {
		text  string
		twice string // "": it is read
	}{
		"twice":                  {`{"subject":"a",` + rest + `,"subject":"b"}`, "subject"},
		"in another case":        {`{` + rest + `,"TO":"b@example.org"}`, "TO"},
		"escaped":                {`{` + rest + `,"\u0074o":"b@example.org"}`, "to"},
		"with a long s":          {`{"ſubject":"a","subject":"b",` + rest + `}`, "subject"},
		"in an address":          {`{"from":{"address":"a@example.org","address":"b@example.org"},` + rest + `}`, "address"},
		"in a list":              {`{"headers":[{"name":"X-A","value":"1"},{"name":"X-B","value":"1","value":"2"}],` + rest + `}`, "value"},
		"in metadata":            {`{"metadata":{"a":"1","a":"2"},` + rest + `}`, "a"},
		"late in much metadata":  {`{"metadata":{` + many + `,"k98":"x"},` + rest + `}`, "k98"},
		"early in much metadata": {`{"metadata":{"a":"1",` + many + `,"a":"2"},` + rest + `}`, "a"},
		"in a badly coded key":   {"{\"metadata\":{\"\xff\":\"1\",\"\xfe\":\"2\"}," + rest + `}`, "�"},
		"metadata in two cases":  {`{"metadata":{"a":"1","A":"2"},` + rest + `}`, ""},
		"in two objects":         {`{"headers":[{"name":"X-A","value":"1"},{"name":"X-B","value":"1"}],` + rest + `}`, ""},
		"a value like a key":     {`{"subject":"subject","metadata":{"subject":"subject"},` + rest + `}`, ""},
		"quotes in a value":      {`{"subject":"\"subject\":\\","id":"1",` + rest + `}`, ""},
		"with spaces":            {"{ \"id\" : \"1\" ,\n\t\"id\"\t: \"2\", " + rest + `}`, "id"},
	} {
		var m rohrpost.Message
		err := json.Unmarshal([]byte(tt.text), &m)
		switch {
		case tt.twice == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.twice != "" && (err == nil || !strings.Contains(err.Error(), `"`+tt.twice+`" is there twice`)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzKeys: whatever is valid JSON is looked at without a crash, and what Marshal has
// written has no key twice.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"to":"a@example.org","text":"\\\"","metadata":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m rohrpost.Message
		if json.Unmarshal(b, &m) != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &m); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

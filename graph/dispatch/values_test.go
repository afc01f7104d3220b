package dispatch

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// plain is what encoding/json makes of variables.
func plain(raw string) (map[string]any, error) {
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

func TestValues(t *testing.T) {
	for _, raw := range []string{
		`{"representations":[{"__typename":"User","id":"1"},{"__typename":"User","id":"2","n":-1.5e+3,"t":true,"f":false,"z":null,"l":[],"o":{}}]}`,
		`{"a":"é\"\\\u00e9","b":[ 1 , 2 ]}`, `{"ab":1,"ba":2,"aXb":3}`, `{}`, `{"":1}`,
		`{"a":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`,
	} {
		want, err := plain(raw)
		if err != nil {
			t.Fatal(err)
		}
		got, err := values([]byte(raw))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", raw, got, err, want)
		}
	}
	for _, raw := range []string{`[]`, `{"a"}`, `{"a":tru}`, `{`, `x`} {
		if got, err := values([]byte(raw)); err == nil {
			t.Errorf("%s: %v, want an error", raw, got)
		}
	}
}

func FuzzValues(f *testing.F) {
	f.Add(`{"a":[{"b":1}]}`)
	f.Fuzz(func(t *testing.T, raw string) {
		want, err := plain(raw)
		if err != nil || !json.Valid([]byte(raw)) || strings.ToValidUTF8(raw, "") != raw {
			return // the gateway writes valid JSON
		}
		got, err := values([]byte(raw))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %v; want %v", raw, got, err, want)
		}
	})
}

package transport

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// The scanner must take exactly what encoding/json takes, but for nesting.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":[1,-0.5e+3,true,false,null,"\u00e9\n\\\"\/"]}`, `[]`, `""`, `01`, `1.`, `-`, `1e`, `.5`, `+1`, `"\x"`, "\"\t\"", `"\u12g4"`,
		`{"a"}`, `{"a":1,}`, `[1,]`, `{,}`, ` [ ] `, `nul`, `truefalse`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83d\u0041"`, `"\ude00\ud83d"`, "\"\x00\"", `{"a":1 "b":2}`, "\ufeff{}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &scanner{data: []byte(text)}
		span, ok := s.value()
		ok = ok && s.end()
		if s.deep > deepest {
			return
		}
		if valid := json.Valid([]byte(text)); ok != valid {
			t.Fatalf("%q: %v, want %v", text, ok, valid)
		}
		if !ok || span[0] != '"' || !utf8.ValidString(text) {
			return
		}
		var want string
		if err := json.Unmarshal(span, &want); err != nil {
			t.Fatal(err)
		}
		if got := unquote(span[1 : len(span)-1]); got != want {
			t.Fatalf("%q: unquoted %q, want %q", text, got, want)
		}
		if got := appendString(nil, want); !json.Valid(got) {
			t.Fatalf("%q: quoted %q", want, got)
		} else if s := (&scanner{data: got[1:]}); s.at == 0 && unquote(got[1:len(got)-1]) != want {
			t.Fatalf("%q: quoted and unquoted %q", want, unquote(got[1:len(got)-1]))
		}
	})
}

// No body may make the parser panic, and what it accepts is an object.
func FuzzEnvelope(f *testing.F) {
	f.Add(`{"query":"{a}","variables":{"a":1},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}},"operationName":null,"documentId":"x"}`)
	f.Add(`{"extensions":{"persistedQuery":{"sha256Hash":"ab","version":`)
	f.Fuzz(func(t *testing.T, text string) {
		var e envelope
		if refused := e.parse([]byte(text)); refused != nil {
			if refused.status != 400 || refused.code == "" || refused.message == "" {
				t.Fatalf("%q: %+v", text, refused)
			}
			return
		}
		var sent struct {
			Variables  json.RawMessage
			Extensions map[string]any
		}
		if err := json.Unmarshal([]byte(text), &sent); err != nil {
			t.Fatalf("%q was accepted: %v", text, err)
		}
	})
}

func TestScannerBoundsNesting(t *testing.T) {
	for depth, want := range map[int]bool{deepest: true, deepest + 1: false, 10_000_000: false} {
		for _, pair := range []string{"[]", "{}"} {
			open, shut := pair[:1], pair[1:]
			if pair == "{}" {
				open = `{"a":`
			}
			inner := "0"
			s := &scanner{data: []byte(strings.Repeat(open, depth) + inner + strings.Repeat(shut, depth))}
			if _, ok := s.value(); ok != want {
				t.Errorf("%d deep %s: %v", depth, pair, ok)
			}
		}
	}
}

package tree

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// recursive is a shape that reads a, b and c, where b holds the same again, three times over.
func recursive() (*Shape, *Types) {
	types := NewTypes()
	types.Add("T", true)
	var make func(depth int) *Shape
	make = func(depth int) *Shape {
		s := &Shape{Position: NewPosition(), Types: types}
		s.Field("__typename").Typename = true
		for _, key := range []string{"a", "b", "c"} {
			slot := s.Position.Slot(key)
			s.Field(key).Slot = slot
		}
		if depth > 0 {
			child := make(depth - 1)
			s.Field("b").Child = child
			s.Position.children[s.Field("b").Slot-1] = child.Position
		}
		return s
	}
	return make(3), types
}

// read turns a decoded value back into what encoding/json makes of it.
func read(t *testing.T, tree *Tree, v Value, shape *Shape) any {
	switch v.Kind {
	case Object:
		m := map[string]any{}
		for _, f := range shape.Fields {
			if f.Typename {
				continue
			}
			if slot := tree.Slot(v, f.Slot); slot.Kind != Missing {
				m[strings.Trim(f.Key, `"`)] = read(t, tree, slot, f.Child)
			}
		}
		return m
	case List:
		list := []any{}
		for _, element := range tree.Elements(v) {
			list = append(list, read(t, tree, element, shape))
		}
		return list
	}
	var plain any
	if err := json.Unmarshal(tree.Bytes(v), &plain); err != nil {
		t.Fatalf("span %q of kind %d is not JSON: %v", tree.Bytes(v), v.Kind, err)
	}
	return plain
}

// prune drops what the shape does not ask for.
func prune(v any, shape *Shape) any {
	switch v := v.(type) {
	case map[string]any:
		if shape == nil {
			return v
		}
		m := map[string]any{}
		for _, f := range shape.Fields {
			key := strings.Trim(f.Key, `"`)
			if value, ok := v[key]; ok && !f.Typename {
				m[key] = prune(value, f.Child)
			}
		}
		return m
	case []any:
		if shape == nil {
			return v
		}
		list := []any{}
		for _, element := range v {
			list = append(list, prune(element, shape))
		}
		return list
	}
	return v
}

func check(t *testing.T, body []byte) {
	shape, _ := recursive()
	tree := New(1, shape.Position)
	defer tree.Release()
	d := tree.Decoder(0)
	v, err := d.Data(body, shape)
	// What encoding/json turns into one error is enough: trailing commas, control characters, bad escapes …
	if valid := json.Valid(body); (err == nil) != valid {
		if depth(body) > maxDepth-2 {
			return
		}
		t.Fatalf("decoding %q: %v, encoding/json says valid=%v", body, err, valid)
	}
	if err != nil {
		return
	}
	var want any
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&want); err != nil {
		return // a number out of range: it is copied through
	}
	if got := read(t, tree, v, shape); !reflect.DeepEqual(got, prune(want, shape)) {
		t.Fatalf("decoding %q:\n got %v\nwant %v", body, got, prune(want, shape))
	}
}

func depth(b []byte) int { return bytes.Count(b, []byte("[")) + bytes.Count(b, []byte("{")) }

var samples = []string{
	`{"a":1,"b":{"a":"x","c":[1,2,{"z":null}]},"c":true}`,
	` { "c" : -1.5e+10 , "unknown" : { "a" : [ ] , "b" : { } } , "a" : "é\u00e9\\\"" } `,
	`{"a":1,"a":2}`, `{"b":[{"a":1},null,[{"a":2}]]}`, `{"\u0061":5}`, `null`, `"x"`, `[]`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`,
	`{"a":tru}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":"` + strings.Repeat("long enough for words ", 5) + `\n"}`, "{\"a\":\"1234567\x1f\"}", "{\"a\":\"12345678\x1f\"}",
	`{"__typename":"T","a":{"b":[[]]}}`, `{"__typename":5}`, `{"a":"\ud83d\ude00"}`, `{"a":"\u12G4"}`, `{"b":{"b":{"b":{"b":{"a":1}}}}}`, `{"a":1}{`, "\ufeff{}", "{\"a\":\"\xff\"}",
}

func TestDecodeLikeEncodingJSON(t *testing.T) {
	for _, sample := range samples {
		check(t, []byte(sample))
		for i := range sample {
			check(t, []byte(sample[:i]))
			check(t, []byte(sample[:i]+sample[min(i+1, len(sample)):]))
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, sample := range samples {
		f.Add([]byte(sample))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !bytes.ContainsRune(body, 0xfffd) && bytes.Equal(bytes.ToValidUTF8(body, nil), body) {
			check(t, body)
		}
	})
}

func TestDeepNestingIsRefused(t *testing.T) {
	shape, _ := recursive()
	for _, body := range []string{
		strings.Repeat("[", 1<<20), `{"b":` + strings.Repeat("[", 1<<20), `{"a":` + strings.Repeat(`{"x":`, 1<<20), `{"zzz":` + strings.Repeat("[", 1<<20),
	} {
		tree := New(1, shape.Position)
		d := tree.Decoder(0)
		if _, err := d.Data([]byte(body), shape); err == nil {
			t.Errorf("a body of %d brackets was read", len(body))
		}
		tree.Release()
	}
}

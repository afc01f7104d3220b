package audit

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Bounds of what a record holds, in characters.
const (
	maxText  = 200
	maxName  = 64
	maxItems = 20
	maxDepth = 6
)

// hidden stands for a value that a record must not hold.
const hidden = "***"

// PersonalDirective is the schema's mark of personal fields; see schema/federation.graphql.
const PersonalDirective = "personal"

// secret says by a field's name whether its value opens something.
func secret(name string) bool {
	lower := strings.ToLower(name)
	return lower == "code" || lower == "key" || strings.HasSuffix(name, "Key") || strings.HasSuffix(lower, "smscode") ||
		slices.ContainsFunc([]string{"password", "token", "secret", "captcha", "receipt", "otp"}, func(part string) bool { return strings.Contains(lower, part) })
}

// numbers are what must not stand in any text: numbers of mobile phones and of
// identity cards (GB 11643), wherever somebody wrote them.
var numbers = regexp.MustCompile(`\d{6}(?:18|19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx]|1[3-9]\d{9}`)

// scrub hides the middle of such numbers.
func scrub(text string) string {
	return numbers.ReplaceAllStringFunc(text, func(number string) string { return number[:3] + "****" + number[len(number)-4:] })
}

func cut(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length-1]) + "…"
}

// encode makes JSON of a state, texts scrubbed and cut.
func encode(state any) json.RawMessage {
	if state == nil {
		return nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		return json.RawMessage(`{"error":"not encodable"}`)
	}
	var decoded any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if decoder.Decode(&decoded) != nil || decoded == nil {
		return nil
	}
	text, _ = json.Marshal(plain(decoded, 0)) // it was JSON a moment ago
	return text
}

// plain bounds and scrubs a decoded JSON value.
func plain(value any, depth int) any {
	if depth > maxDepth {
		return hidden
	}
	switch v := value.(type) {
	case string:
		return scrub(cut(v, maxText))
	case []any:
		v = v[:min(len(v), maxItems)]
		for i := range v {
			v[i] = plain(v[i], depth+1)
		}
		return v
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name], depth+1)
		}
	}
	return value
}

// inputOf is a root field's input as it may be kept, and its target as far as
// the input names one.
func inputOf(schema *ast.Schema, field graphql.CollectedField, variables map[string]any) (json.RawMessage, []Entry) {
	kept, target := map[string]any{}, Target{Kind: targetKind(schema, field.Definition)}
	if field.Definition == nil {
		return nil, nil
	}
	arguments := field.ArgumentMap(variables)
	for _, argument := range field.Definition.Arguments {
		value, given := arguments[argument.Name]
		if !given {
			continue
		}
		kept[argument.Name] = keep(schema, argument.Name, argument.Type, argument.Directives, value, 0)
		if object, ok := value.(map[string]any); ok && target.ID == "" {
			target.ID = idOf(schema, argument.Type, object)
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		text = json.RawMessage(`{"error":"not encodable"}`)
	}
	return text, []Entry{{Target: target}}
}

// keep is a value of the input type as it may be kept: no secrets, nothing of
// personal fields but that they were given.
func keep(schema *ast.Schema, name string, of *ast.Type, marks ast.DirectiveList, value any, depth int) any {
	if value == nil {
		return nil
	}
	if depth > maxDepth || marks.ForName(PersonalDirective) != nil || secret(name) {
		return hidden
	}
	switch v := value.(type) {
	case string:
		return scrub(cut(v, maxText))
	case []any:
		if of.Elem == nil {
			return hidden
		}
		list := make([]any, min(len(v), maxItems))
		for i := range list {
			list[i] = keep(schema, name, of.Elem, nil, v[i], depth+1)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		definition := schema.Types[of.Name()]
		for key, inner := range v {
			if definition == nil || definition.Fields.ForName(key) == nil {
				object[key] = hidden // of a scalar that nobody knows inside
				continue
			}
			f := definition.Fields.ForName(key)
			object[key] = keep(schema, key, f.Type, f.Directives, inner, depth+1)
		}
		return object
	}
	return value
}

// idOf is the input's first field of type ID by the names that targets go by.
func idOf(schema *ast.Schema, of *ast.Type, input map[string]any) string {
	definition := schema.Types[of.Name()]
	if definition == nil {
		return ""
	}
	for _, f := range definition.Fields {
		if id, ok := input[f.Name].(string); ok && f.Type.Name() == "ID" && f.Type.Elem == nil && f.Name != "areaId" {
			return cut(id, maxName)
		}
	}
	return ""
}

// targetKind is the first entity of a mutation's payload: what it answers with
// is what it was done to.
func targetKind(schema *ast.Schema, field *ast.FieldDefinition) string {
	if field == nil {
		return ""
	}
	payload := schema.Types[field.Type.Name()]
	if payload == nil {
		return ""
	}
	for _, f := range payload.Fields {
		if of := schema.Types[f.Type.Name()]; of != nil && of.Kind == ast.Object && of.Directives.ForName("key") != nil {
			return of.Name
		}
	}
	return ""
}

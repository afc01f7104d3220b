package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/citizencloud/citizencloud/graph/persisted"
)

// envelope is a GraphQL request as it travels: around the operation.
type envelope struct {
	query         string
	operationName string
	documentID    string // of the persisted documents draft
	hash          string // extensions.persistedQuery.sha256Hash
	// variables is the JSON object as it was sent, a span of the body; nil
	// for none.
	variables []byte
}

// parse reads the envelope out of a JSON body. Other members are skipped, as
// the specification reserves them.
func (e *envelope) parse(body []byte) *refusal {
	if !utf8.Valid(body) {
		return &refusal{status: http.StatusBadRequest, code: codeMalformed, message: "请求体不是 UTF-8 编码"}
	}
	s := &scanner{data: body}
	if s.peek() == '[' {
		return &refusal{status: http.StatusBadRequest, code: codeBatch, message: "不支持批量请求，请逐个发送"}
	}
	var wrong *refusal
	var seen [5]bool
	well := s.object(func(key []byte) bool {
		name := member(key)
		index := -1
		switch name {
		case "query":
			index, wrong = 0, s.textMember(name, &e.query)
		case "operationName":
			index, wrong = 1, s.textMember(name, &e.operationName)
		case "documentId":
			index, wrong = 2, s.textMember(name, &e.documentID)
		case "variables":
			index, wrong = 3, s.objectMember(name, &e.variables)
		case "extensions":
			var raw []byte
			index = 4
			if wrong = s.objectMember(name, &raw); wrong == nil {
				wrong = e.extensions(raw)
			}
		default:
			_, ok := s.value()
			return ok
		}
		if wrong == nil && seen[index] {
			wrong = badRequest(name, name+" 出现了两次")
		}
		seen[index] = true
		return wrong == nil
	})
	switch {
	case wrong != nil:
		return wrong
	case !well || !s.end():
		return malformed(s)
	}
	return nil
}

func malformed(s *scanner) *refusal {
	message := fmt.Sprintf("请求体不是合法的 JSON 对象（第 %d 字节附近）", s.at+1)
	if s.deep > deepest {
		message = fmt.Sprintf("JSON 嵌套超过 %d 层", deepest)
	}
	return &refusal{status: http.StatusBadRequest, code: codeMalformed, message: message}
}

// member gives the known names without an allocation.
func member(key []byte) string {
	switch string(key) {
	case "query":
		return "query"
	case "operationName":
		return "operationName"
	case "documentId":
		return "documentId"
	case "variables":
		return "variables"
	case "extensions":
		return "extensions"
	}
	return unquote(key) // maybe escaped
}

// textMember reads a string or null.
func (s *scanner) textMember(name string, into *string) *refusal {
	switch s.peek() {
	case '"':
		raw, ok := s.text()
		if !ok {
			return malformed(s)
		}
		*into = unquote(raw)
		return nil
	case 'n':
		if s.word("null") {
			return nil
		}
		return malformed(s)
	}
	if _, ok := s.value(); !ok {
		return malformed(s)
	}
	return badRequest(name, name+" 须是字符串")
}

// objectMember reads an object or null.
func (s *scanner) objectMember(name string, into *[]byte) *refusal {
	kind := s.peek()
	span, ok := s.value()
	switch {
	case !ok:
		return malformed(s)
	case kind == '{':
		*into = span
	case kind != 'n':
		return badRequest(name, name+" 须是 JSON 对象")
	}
	return nil
}

// extensions reads the persistedQuery of raw, which is sound JSON.
func (e *envelope) extensions(raw []byte) *refusal {
	if raw == nil {
		return nil
	}
	var wrong *refusal
	s := &scanner{data: raw}
	s.object(func(key []byte) bool {
		var found []byte
		if unquote(key) != "persistedQuery" {
			_, ok := s.value()
			return ok
		}
		if wrong = s.objectMember("extensions.persistedQuery", &found); wrong == nil && found != nil {
			wrong = e.persistedQuery(found)
		}
		return wrong == nil
	})
	return wrong
}

func (e *envelope) persistedQuery(raw []byte) *refusal {
	const hashField, versionField = "extensions.persistedQuery.sha256Hash", "extensions.persistedQuery.version"
	var wrong *refusal
	s := &scanner{data: raw}
	s.object(func(key []byte) bool {
		switch unquote(key) {
		case "sha256Hash":
			if wrong = s.textMember(hashField, &e.hash); wrong == nil {
				e.hash = strings.ToLower(e.hash)
			}
		case "version":
			if version, _ := s.value(); string(version) != "1" {
				wrong = &refusal{
					status: http.StatusBadRequest, code: persisted.CodeNotSupported, field: versionField,
					message: "只支持第 1 版 persistedQuery",
				}
			}
		default:
			s.value()
		}
		return wrong == nil
	})
	if wrong == nil && e.hash == "" {
		wrong = badRequest(hashField, "缺少 sha256Hash")
	}
	return wrong
}

// parseURL reads the envelope out of a query string.
func (e *envelope) parseURL(rawQuery string) *refusal {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return badRequest("", "网址参数的编码有误")
	}
	for _, name := range [...]string{"query", "operationName", "documentId", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return badRequest(name, name+" 出现了两次")
		}
		if !utf8.ValidString(values.Get(name)) {
			return badRequest(name, name+" 不是 UTF-8 编码")
		}
	}
	e.query, e.operationName, e.documentID = values.Get("query"), values.Get("operationName"), values.Get("documentId")
	var extensions []byte
	if refused := urlObject("variables", values.Get("variables"), &e.variables); refused != nil {
		return refused
	}
	if refused := urlObject("extensions", values.Get("extensions"), &extensions); refused != nil {
		return refused
	}
	return e.extensions(extensions)
}

// urlObject reads a JSON object or null out of a parameter; "" is none.
func urlObject(name, text string, into *[]byte) *refusal {
	if text == "" {
		return nil
	}
	s := &scanner{data: []byte(text)}
	refused := s.objectMember(name, into)
	if refused == nil && !s.end() {
		refused = malformed(s)
	}
	if refused != nil {
		refused.field = name
	}
	return refused
}

// request is what package persisted wants to know.
func (e *envelope) request(client string) persisted.Request {
	return persisted.Request{Client: client, Query: e.query, OperationName: e.operationName, DocumentID: e.documentID, Hash: e.hash}
}

package main

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
)

// definition is an operation or fragment of a file, without comments and
// needless white space, so that its ID changes only when its meaning may.
type definition struct {
	keyword string // query, mutation, subscription, fragment; "" for a bare selection
	name    string
	text    string
	spreads []string // names of the fragments that it spreads
}

// compact splits a file into its definitions. It only reads tokens: whether
// they make sense is for the parser to say.
func compact(text string) ([]definition, error) {
	lex := lexer.New(&ast.Source{Input: text})
	var all []definition
	var now definition
	var out strings.Builder
	braces, parentheses, word, spread := 0, 0, false, false
	for count := 0; ; count++ {
		token, err := lex.ReadToken()
		if err != nil {
			return nil, err
		}
		switch token.Kind {
		case lexer.Comment:
			count--
			continue
		case lexer.EOF:
			if out.Len() > 0 {
				return nil, errors.New("the last definition is not complete")
			}
			return all, nil
		}
		piece, isWord := written(token)
		if word && (isWord || token.Kind == lexer.Spread) {
			out.WriteByte(' ')
		}
		out.WriteString(piece)
		if token.Kind == lexer.Name {
			switch {
			case count == 0:
				now.keyword = piece
			case count == 1:
				now.name = piece
			case spread && piece != "on":
				now.spreads = append(now.spreads, piece)
			}
		}
		word, spread = isWord, token.Kind == lexer.Spread
		switch token.Kind {
		case lexer.ParenL:
			parentheses++
		case lexer.ParenR:
			parentheses--
		case lexer.BraceL:
			braces++
		case lexer.BraceR:
			if braces--; braces <= 0 && parentheses <= 0 { // else it ends an object value
				now.text = out.String()
				all = append(all, now)
				now, braces, parentheses, count, word = definition{}, 0, 0, -1, false
				out.Reset()
			}
		}
	}
}

// written gives a token's text, and whether it must be kept apart from the
// next such one.
func written(token lexer.Token) (text string, isWord bool) {
	switch token.Kind {
	case lexer.Name, lexer.Int, lexer.Float:
		return token.Value, true
	case lexer.String, lexer.BlockString:
		quoted, _ := json.Marshal(token.Value) // a string always encodes; GraphQL reads JSON's escapes
		return string(quoted), true
	}
	return token.Kind.String(), false
}

// Package personal is the schema's directive @personal where it stands on a
// field of an answer: the value is answered in full, masked, or not at all, as
// the table of clearances in package access says. No resolver masks by itself.
//
// Start reading at Field.
package personal

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/mask"
)

// Field implements the directive for gqlgen. obj is the object that the field
// belongs to; purpose is for people and the audit log. What is neither text nor
// a list of texts has no masked form: where it would be masked it is null.
func Field(ctx context.Context, obj any, next graphql.Resolver, grade access.Grade, _ string, kind *mask.Kind, shown *access.Showing) (any, error) {
	value, err := next(ctx)
	if err != nil || value == nil {
		return value, err
	}
	showing, form := access.ByClearance, mask.Text
	if shown != nil {
		showing = *shown
	}
	if kind != nil {
		form = *kind
	}
	p := access.From(ctx)
	about, known := obj.(access.Concerning)
	switch access.Sees(p, known && about.Concerns(p), grade, showing) {
	case access.Plain:
		return value, nil
	case access.Masked:
		return masked(form, value), nil
	default:
		return nil, nil
	}
}

func masked(kind mask.Kind, value any) any {
	switch v := value.(type) {
	case string:
		return mask.Of(kind, v)
	case *string:
		if v == nil {
			return v
		}
		text := mask.Of(kind, *v)
		return &text
	case []string:
		texts := make([]string, len(v))
		for i, text := range v {
			texts[i] = mask.Of(kind, text)
		}
		return texts
	default:
		return nil
	}
}

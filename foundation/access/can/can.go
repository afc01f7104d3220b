// Package can is the schema's directive @can(action:, area:): a field that
// carries it is resolved only for whoever access.Decide allows the action, in
// the area that an argument names. It is the first of two walls in Go; the
// services behind ask again, as they know the areas of their rows.
//
// Start reading at Field.
package can

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/division"
)

// Field implements the directive for gqlgen. area is the path of the argument
// that holds an area code, such as "areaId" or "input.areaId"; an argument that
// is absent, or is no code, is the resolver's to judge.
func Field(ctx context.Context, _ any, next graphql.Resolver, action string, area *string) (any, error) {
	code := ""
	if area != nil {
		code = argument(ctx, *area)
	}
	var err error
	if division.Valid(code) {
		_, err = access.RequireArea(ctx, access.Action(action), code)
	} else {
		_, err = access.Require(ctx, access.Action(action))
	}
	if err != nil {
		return nil, err
	}
	return next(ctx)
}

// argument gives the field's argument as it was written; "" if there is none.
func argument(ctx context.Context, path string) string {
	field := graphql.GetFieldContext(ctx)
	if field == nil || !graphql.HasOperationContext(ctx) {
		return ""
	}
	var value any = field.Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	for _, name := range strings.Split(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return ""
		}
		value = object[name]
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

package span

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// mostFields bounds the spans of one fetch: a list of a hundred has a hundred
// times the resolvers of one.
const mostFields = 200

// Fields is inner with a span around each resolver that is a method of its own;
// fields that are read out of a struct have none. It is for one operation whose
// context is Recorded; without it nothing is added to a field.
func Fields(inner graphql.FieldMiddleware) graphql.FieldMiddleware {
	var made atomic.Int32
	return func(ctx context.Context, next graphql.Resolver) (any, error) {
		field := graphql.GetFieldContext(ctx)
		if field == nil || !field.IsResolver && !(field.Object == "Query" && field.IsMethod) || made.Add(1) > mostFields {
			return inner(ctx, next)
		}
		ctx, s := Start(ctx, field.Object+"."+field.Field.Name, trace.SpanKindInternal, attribute.String("graphql.path", field.Path().String()))
		defer s.End()
		result, err := inner(ctx, next)
		if err != nil {
			Fail(s, "resolver failed")
		}
		return result, err
	}
}

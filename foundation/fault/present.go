package fault

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Present turns a resolver's error into what a client may see: a fault as it
// is; anything else becomes Internal with a neutral sentence, and goes to the
// log in full. It is gqlgen's error presenter in every subgraph.
func Present(ctx context.Context, err error) *gqlerror.Error {
	var f *Fault
	if errors.As(err, &f) {
		shown := &gqlerror.Error{Message: f.Message, Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": string(f.Code)}}
		if f.Field != "" {
			shown.Extensions["field"] = f.Field
		}
		if f.RetryAfter > 0 {
			shown.Extensions["retryAfter"] = f.RetryAfter
		}
		return shown
	}
	var g *gqlerror.Error
	if errors.As(err, &g) && g.Err == nil {
		// gqlgen's own finding about the request: coercion, missing non-null and the like.
		if g.Extensions == nil {
			g.Extensions = map[string]any{"code": string(InvalidInput)}
		}
		return g
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &gqlerror.Error{Message: "请求已取消或超时", Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": string(Unavailable)}}
	}
	slog.ErrorContext(ctx, "resolver failed", "path", graphql.GetPath(ctx).String(), "error", err)
	return &gqlerror.Error{Message: "系统内部错误，请稍后重试", Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": string(Internal)}}
}

// Recover turns a resolver's panic into an error; the log gets the stack.
func Recover(ctx context.Context, panicked any) error {
	slog.ErrorContext(ctx, "resolver panicked", "path", graphql.GetPath(ctx).String(), "panic", panicked, "stack", string(debug.Stack()))
	return New(Internal, "系统内部错误，请稍后重试")
}

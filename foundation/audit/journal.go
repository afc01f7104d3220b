package audit

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jmoiron/sqlx"
	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/trace"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/database"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/foundation/outbox"
)

// Journal records the mutations of one subgraph into its outbox.
type Journal struct {
	Subgraph string
	DB       *database.DB
	Now      func() time.Time
	Log      *slog.Logger
}

// patience bounds the writing of a record, which no client may cut short.
const patience = 5 * time.Second

// Around is the schema whose mutations are recorded, each root field by itself.
// Nothing else of it changes, and queries pay one comparison.
func (j *Journal) Around(schema graphql.ExecutableSchema) graphql.ExecutableSchema {
	return &recorded{schema, j}
}

type recorded struct {
	graphql.ExecutableSchema
	journal *Journal
}

// Exec implements graphql.ExecutableSchema.
func (s *recorded) Exec(ctx context.Context) graphql.ResponseHandler {
	if operation := graphql.GetOperationContext(ctx); operation.Operation.Operation == ast.Mutation {
		roots, fields := operation.RootResolverMiddleware, operation.ResolverMiddleware
		operation.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			return s.journal.root(ctx, s.Schema(), operation, func(ctx context.Context) graphql.Marshaler { return roots(ctx, next) })
		}
		operation.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
			return s.journal.field(ctx, func(ctx context.Context) (any, error) { return fields(ctx, next) })
		}
	}
	return s.ExecutableSchema.Exec(ctx)
}

// root begins the record of a root field. Where its resolver was never reached,
// the arguments were refused.
func (j *Journal) root(ctx context.Context, schema *ast.Schema, operation *graphql.OperationContext, next graphql.RootResolver) graphql.Marshaler {
	at := &passage{recording: j.begin(ctx, schema, operation, graphql.GetRootFieldContext(ctx).Field)}
	made := next(context.WithValue(ctx, passageKey{}, at))
	if !at.reached {
		if err := at.recording.finish(ctx, string(fault.InvalidInput)); err != nil {
			j.lost(ctx, at.recording, fault.InvalidInput, err)
		}
	}
	return made
}

// passage is a root field on its way to its resolver.
type passage struct {
	recording *recording
	reached   bool
}

type passageKey struct{}

// field runs the resolver of a root field under its record. An answer that
// cannot be recorded is not given.
func (j *Journal) field(ctx context.Context, next graphql.Resolver) (answer any, err error) {
	at, _ := ctx.Value(passageKey{}).(*passage)
	if at == nil || at.reached {
		return next(ctx) // below a root field
	}
	at.reached = true
	r, result := at.recording, string(fault.Internal)
	defer func() { // after a panic too
		unwritten := r.finish(ctx, result)
		if unwritten == nil {
			return
		}
		j.lost(ctx, r, fault.Code(result), unwritten)
		if result == Done {
			answer, err = nil, fault.New(fault.Unavailable, "操作未能记入操作日志，请刷新核对后重试")
		}
	}()
	inner := database.WithWatcher(context.WithValue(ctx, recordingKey{}, r), r)
	if answer, err = next(inner); err != nil {
		result = string(fault.CodeOf(err))
	} else {
		result = Done
	}
	return answer, err
}

func (j *Journal) begin(ctx context.Context, schema *ast.Schema, operation *graphql.OperationContext, field graphql.CollectedField) *recording {
	remote, p := access.RemoteOf(ctx), access.From(ctx)
	if p == nil {
		p = access.ConfinedFrom(ctx) // nobody to others, and yet somebody
	}
	record := Record{
		At: j.Now().UTC().Truncate(time.Microsecond), Subgraph: j.Subgraph, Action: field.Name, Actor: actorOf(p),
		Client: cut(remote.Client, maxName), Address: cut(remote.Address, maxName), Request: cut(remote.Request, maxName),
	}
	if record.Client == "" && p != nil {
		record.Client = cut(p.Client, maxName)
	}
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() {
		record.Trace = at.TraceID().String()
	}
	record.Input, record.Changes = inputOf(schema, field, operation.Variables)
	return &recording{journal: j, record: record}
}

// write runs fn in a transaction of its own that the client cannot cut short.
func (j *Journal) write(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(withoutWatcher(ctx)), patience)
	defer cancel()
	ctx = access.AsSystem(ctx, "audit")
	return j.DB.Write(ctx, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// Append writes records of what the platform itself does, such as changing
// keys, into the transaction, and fills in what they leave open.
func Append(ctx context.Context, tx sqlx.ExtContext, subgraph string, records ...Record) error {
	for _, record := range records {
		message := outbox.Message{Subject: subgraph + "." + Subject, AreaCode: record.Actor.Area, Payload: record}
		if err := outbox.Append(ctx, tx, subgraph, message); err != nil {
			return err
		}
	}
	return nil
}

// lost leaves in the log what could not be written: the database is away.
func (j *Journal) lost(ctx context.Context, r *recording, result fault.Code, err error) {
	text, _ := json.Marshal(r.record)
	j.Log.ErrorContext(ctx, "audit record not written", "record", string(text), "result", result, "error", err)
}

func withoutWatcher(ctx context.Context) context.Context { return database.WithWatcher(ctx, nil) }

package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/citizencloud/citizencloud/graph"
)

// fakeEngine parses operations and answers them by their first field:
//
//	echo     {"echo": the variables, "view": …, "authorization": …}
//	nothing  data is null
//	coerce   a request error: variables that do not fit
//	invalid  a validation error
//	panic    panics
//	big      256 KB of data
//	wait     waits for hold to close
type fakeEngine struct {
	hold   chan struct{}
	events func(name string) []string // of a subscription, by its first field; nil: topics
	topics sync.Map                   // first field → *topic
}

type fakeOperation struct {
	engine     *fakeEngine
	kind       ast.Operation
	name, root string
}

func (e *fakeEngine) Prepare(_ context.Context, query, operationName string) (Operation, gqlerror.List) {
	document, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil, gqlerror.List{{Message: "语法错误", Extensions: map[string]any{"code": "GRAPHQL_PARSE_FAILED"}}}
	}
	operation := document.Operations.ForName(operationName)
	if operation == nil {
		return nil, gqlerror.List{{Message: "没有这个操作", Extensions: map[string]any{"code": "OPERATION_RESOLUTION_FAILURE"}}}
	}
	root := operation.SelectionSet[0].(*ast.Field).Name
	if root == "invalid" {
		return nil, gqlerror.List{{Message: "没有字段 invalid", Extensions: map[string]any{"code": "GRAPHQL_VALIDATION_FAILED"}}}
	}
	return &fakeOperation{e, operation.Operation, operation.Name, root}, nil
}

func (o *fakeOperation) Kind() ast.Operation { return o.kind }
func (o *fakeOperation) Name() string        { return o.name }

func (o *fakeOperation) Execute(ctx context.Context, call graph.Call) *graph.Response {
	switch o.root {
	case "nothing":
		return &graph.Response{Body: []byte(`{"data":null,"errors":[{"message":"x"}]}`), HasData: true, Errors: 1}
	case "coerce":
		return &graph.Response{Body: []byte(`{"errors":[{"message":"变量 id 须是 Int","extensions":{"code":"BAD_USER_INPUT"}}]}`), Errors: 1}
	case "panic":
		panic("a secret address")
	case "big":
		return &graph.Response{Body: []byte(`{"data":{"big":"` + strings.Repeat("社区", 1<<16) + `"}}`), HasData: true}
	case "wait":
		<-o.engine.hold
	}
	variables := call.Variables
	if variables == nil {
		variables = json.RawMessage("null")
	}
	body := fmt.Sprintf(`{"data":{"echo":%s,"view":%q,"authorization":%q,"principal":%q,"name":%q}}`,
		variables, call.View, call.Header.Get("Authorization"), principal(ctx), o.name)
	return &graph.Response{Body: []byte(body), HasData: true}
}

type principalKey struct{}

func principal(ctx context.Context) string {
	name, _ := ctx.Value(principalKey{}).(string)
	return name
}

// topic is a running subscription, as the engine has them: a bounded queue for
// each subscriber, which is dropped when it is full.
type topic struct {
	mu          sync.Mutex
	subscribers map[*fakeStream]struct{}
	joined      chan struct{} // one value for each that subscribed
	left        chan struct{} // one for each that closed its stream
}

func (e *fakeEngine) topic(name string) *topic {
	found, _ := e.topics.LoadOrStore(name, &topic{subscribers: map[*fakeStream]struct{}{}, joined: make(chan struct{}, 100), left: make(chan struct{}, 10_000)})
	return found.(*topic)
}

// publish hands an event to all subscribers.
func (t *topic) publish(body string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for stream := range t.subscribers {
		select {
		case stream.queue <- body:
		default:
			stream.drop()
			delete(t.subscribers, stream)
		}
	}
}

// finish ends the topic.
func (t *topic) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for stream := range t.subscribers {
		close(stream.queue)
		delete(t.subscribers, stream)
	}
}

func (t *topic) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.subscribers)
}

type fakeStream struct {
	topic *topic
	queue chan string
	slow  chan struct{}
}

func (s *fakeStream) drop() { close(s.slow) }

func (o *fakeOperation) Subscribe(ctx context.Context, call graph.Call) (graph.Stream, gqlerror.List) {
	if o.root == "coerce" {
		return nil, gqlerror.List{{Message: "变量 id 须是 Int", Extensions: map[string]any{"code": "BAD_USER_INPUT"}}}
	}
	t := o.engine.topic(o.root)
	stream := &fakeStream{topic: t, queue: make(chan string, 8), slow: make(chan struct{})}
	t.mu.Lock()
	t.subscribers[stream] = struct{}{}
	t.mu.Unlock()
	t.joined <- struct{}{}
	return stream, nil
}

func (s *fakeStream) Next(ctx context.Context) (*graph.Response, error) {
	select { // a dropped one is told at once, whatever still waits
	case <-s.slow:
		return nil, graph.ErrSlow
	default:
	}
	select {
	case <-s.slow:
		return nil, graph.ErrSlow
	case body, ok := <-s.queue:
		if !ok {
			return nil, io.EOF
		}
		return &graph.Response{Body: []byte(body), HasData: true}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *fakeStream) Close() {
	s.topic.mu.Lock()
	defer s.topic.mu.Unlock()
	delete(s.topic.subscribers, s)
	s.topic.left <- struct{}{}
}

// quiet drops the log.
var quiet = slog.New(slog.DiscardHandler)

func newServer(t testing.TB, change func(*Options)) *Server {
	t.Helper()
	options := Options{Engine: &fakeEngine{hold: make(chan struct{})}, Logger: quiet}
	if change != nil {
		change(&options)
	}
	return New(options)
}

// listen serves s for real.
func listen(t testing.TB, s *Server) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer(s, quiet)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// sent is a request of a test.
type sent struct {
	method, path string
	header       map[string]string // nil: JSON in and out
	body         string
}

func (r sent) do(t testing.TB, s http.Handler) *http.Response {
	t.Helper()
	if r.path == "" {
		r.path = "/graphql"
	}
	if r.method == "" {
		r.method = http.MethodPost
	}
	request := httptest.NewRequest(r.method, r.path, strings.NewReader(r.body))
	if r.header == nil {
		r.header = map[string]string{"Content-Type": "application/json", "Accept": "application/json"}
	}
	for name, value := range r.header {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder.Result()
}

func read(t testing.TB, response *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return string(body)
}

// failure is the first error of an answer.
type failure struct {
	Message    string
	Extensions struct {
		Code, Field string
		RetryAfter  int
	}
}

func failureOf(t testing.TB, body string) failure {
	t.Helper()
	var answer struct {
		Data   json.RawMessage
		Errors []failure
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, body)
	}
	if len(answer.Errors) == 0 {
		return failure{}
	}
	if answer.Data != nil && string(answer.Data) != "null" {
		t.Errorf("data beside a refusal: %s", body)
	}
	return answer.Errors[0]
}

// constant always gives the same answer, with no allocation.
type constant struct{ *fakeOperation }

var constantAnswer = graph.Response{Body: []byte(`{"data":{"me":null}}`), HasData: true}

func (constant) Prepare(context.Context, string, string) (Operation, gqlerror.List) {
	return constantOperation, nil
}

var constantOperation = constant{&fakeOperation{kind: ast.Query, name: "Home"}}

func (constant) Execute(context.Context, graph.Call) *graph.Response { return &constantAnswer }

func newRequest(peer, forwarded string) *http.Request {
	request := httptest.NewRequest("POST", "/graphql", nil)
	request.RemoteAddr = peer
	if forwarded != "" {
		request.Header.Set("X-Forwarded-For", forwarded)
	}
	return request
}

func serveBody(t testing.TB, s http.Handler, request *http.Request, body string) string {
	t.Helper()
	request.Body = io.NopCloser(strings.NewReader(body))
	request.ContentLength = int64(len(body))
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return read(t, recorder.Result())
}

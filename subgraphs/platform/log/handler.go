package log

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"

	"github.com/citizencloud/citizencloud/foundation/access"
	"github.com/citizencloud/citizencloud/foundation/fault"
	"github.com/citizencloud/citizencloud/subgraphs/platform/limit"
)

// Intake takes the lines that client applications post.
type Intake struct {
	// Stream takes the lines; nil is no intake: 503.
	Stream jetstream.JetStream
	Redis  redis.UniversalClient
	// Principal reads who asks from the Authorization header; nil for nobody.
	Principal func(*http.Request) *access.Principal
	// Clients are the names that X-Client-Id may have.
	Clients []string
	// Address is that of who asks, as far as it can be known.
	Address func(*http.Request) netip.Addr
	Now     func() time.Time
	Log     *slog.Logger
}

// The bounds of what clients post.
const (
	maxLines = 100
	maxBody  = 256 << 10
)

var (
	// batches is how many batches one user, or one address of those who are not
	// signed in, may post.
	batches = limit.Rule{Times: 60, Within: time.Minute}
	// batchesOfNetwork bounds an address whoever signs in there: many may share it.
	batchesOfNetwork = limit.Rule{Times: 1200, Within: time.Minute}
	// batchesOfClient bounds one client application, all its users together: what
	// goes wrong in it must not bury the other logs.
	batchesOfClient = limit.Rule{Times: 60_000, Within: time.Minute}
)

// posted is the body of POST /logs.
type posted struct {
	Version string       `json:"version"`
	Entries []postedLine `json:"entries"`
}

type postedLine struct {
	At         time.Time      `json:"at"`
	Level      LogLevel       `json:"level"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes"`
	Trace      string         `json:"traceId"`
	Request    string         `json:"requestId"`
}

// ServeHTTP takes POST /logs: JSON {version, entries: [{at, level, message,
// attributes, traceId, requestId}]}, at most a hundred. It answers 202 and
// {"accepted": n}, or a refusal as the platform's others are.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := in.take(w, r)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		refuse(w, err, in.Log)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]int{"accepted": n})
}

func (in *Intake) take(w http.ResponseWriter, r *http.Request) (int, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return 0, fault.New(fault.InvalidInput, "请以 POST 提交日志")
	}
	if in.Stream == nil {
		return 0, fault.New(fault.Unavailable, "日志服务暂不可用，请稍后重试")
	}
	client := r.Header.Get("X-Client-Id")
	if !known(in.Clients, client) {
		return 0, fault.Invalid("X-Client-Id", "请在 X-Client-Id 请求头中注明客户端")
	}
	p := in.Principal(r)
	if err := in.count(r, client, p); err != nil {
		return 0, err
	}
	var body posted
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return 0, fault.New(fault.InvalidInput, "一次提交的日志不能超过 %d KB", maxBody>>10)
		}
		return 0, fault.New(fault.InvalidInput, "日志须为 JSON").Because(err)
	}
	lines, err := in.lines(body, client, p)
	if err != nil {
		return 0, err
	}
	if err := publish(context.WithoutCancel(r.Context()), in.Stream, lines); err != nil {
		return 0, fault.New(fault.Unavailable, "日志服务暂不可用，请稍后重试").Because(err)
	}
	return len(lines), nil
}

// count refuses a batch that is one too many: of the user, the address or the client.
func (in *Intake) count(r *http.Request, client string, p *access.Principal) error {
	network := limit.Network(in.Address(r).String())
	bounds := []bound{{"address:" + network, batches}, {"client:" + client, batchesOfClient}}
	if p != nil {
		bounds = []bound{{"user:" + p.View(), batches}, {"network:" + network, batchesOfNetwork}, {"client:" + client, batchesOfClient}}
	}
	for _, b := range bounds {
		wait, err := limit.Counter{Redis: in.Redis}.Take(r.Context(), "platform:log:"+b.key, b.rule)
		if err != nil {
			return err
		}
		if wait > 0 {
			return limit.Refusal(wait)
		}
	}
	return nil
}

type bound struct {
	key  string
	rule limit.Rule
}

func (in *Intake) lines(body posted, client string, p *access.Principal) ([]Line, error) {
	if len(body.Entries) == 0 || len(body.Entries) > maxLines {
		return nil, fault.Invalid("entries", "一次须提交 1 到 %d 条日志", maxLines)
	}
	now := in.Now()
	lines := make([]Line, len(body.Entries))
	for i, e := range body.Entries {
		field := "entries." + strconv.Itoa(i)
		if rank(e.Level) < 0 {
			return nil, fault.Invalid(field+".level", "级别须为 DEBUG、INFO、WARN 或 ERROR")
		}
		if strings.TrimSpace(e.Message) == "" {
			return nil, fault.Invalid(field+".message", "请填写日志内容")
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		if e.At.IsZero() {
			e.At = now
		}
		lines[i] = Line{ID: id.String(), At: e.At, Level: e.Level, Source: Client, Service: client, Version: body.Version, Message: e.Message,
			Attributes: e.Attributes, Request: e.Request, Trace: e.Trace}
		if p != nil {
			lines[i].User = p.ID
		}
	}
	return lines, nil
}

// refuse writes the refusal: a code for programs, a sentence for people.
func refuse(w http.ResponseWriter, err error, log *slog.Logger) {
	var f *fault.Fault
	if !errors.As(err, &f) {
		log.Error("log: client lines not taken", "error", err)
		f = fault.New(fault.Internal, "系统繁忙，请稍后重试")
	}
	status := http.StatusBadRequest
	switch f.Code {
	case fault.RateLimited:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
	case fault.Internal:
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": f.Code, "message": f.Message, "field": f.Field})
}

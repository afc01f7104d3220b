package carrier

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// simulatedHost is the address of the simulated push services; nothing else has it.
const simulatedHost = "push.simulated"

// simulated answers requests to simulatedHost in the process.
type simulated struct {
	real      http.RoundTripper
	simulator http.Handler
}

// RoundTrip implements http.RoundTripper.
func (s simulated) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != simulatedHost {
		return s.real.RoundTrip(r)
	}
	w := &reply{header: http.Header{}, status: http.StatusOK}
	s.simulator.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Body: io.NopCloser(&w.body), Request: r}, nil
}

// reply is an http.ResponseWriter that keeps the answer.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *reply) Header() http.Header            { return r.header }
func (r *reply) WriteHeader(status int)         { r.status = status }
func (r *reply) Write(text []byte) (int, error) { return r.body.Write(text) }

// PushSimulator answers as the three push services do and sends nothing. A
// token that begins with "gone" belongs to no device any more.
type PushSimulator struct {
	mux   *http.ServeMux
	mu    sync.Mutex
	taken map[string]bool
	count int
}

// NewPushSimulator makes it.
func NewPushSimulator() *PushSimulator {
	s := &PushSimulator{mux: http.NewServeMux(), taken: map[string]bool{}}
	s.mux.HandleFunc("POST /3/device/{token}", s.apns)
	s.mux.HandleFunc("POST /v1/{app}/messages:send", s.huawei)
	s.mux.HandleFunc("POST /v3/message/regid", s.xiaomi)
	return s
}

// ServeHTTP implements http.Handler.
func (s *PushSimulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// take counts a key once.
func (s *PushSimulator) take(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[key] {
		return
	}
	if len(s.taken) >= remembered {
		s.taken = map[string]bool{}
	}
	s.taken[key] = true
	s.count++
}

// Taken is how many pushes would have gone out.
func (s *PushSimulator) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *PushSimulator) apns(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("apns-topic") == "" {
		answer(w, http.StatusBadRequest, `{"reason":"MissingTopic"}`)
		return
	}
	if strings.HasPrefix(r.PathValue("token"), "gone") {
		answer(w, http.StatusGone, `{"reason":"Unregistered"}`)
		return
	}
	s.take(r.Header.Get("apns-id"))
	w.Header().Set("apns-id", r.Header.Get("apns-id"))
	w.WriteHeader(http.StatusOK)
}

func (s *PushSimulator) huawei(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Message struct {
			Token   []string `json:"token"`
			Android struct {
				BiTag string `json:"bi_tag"`
			} `json:"android"`
		} `json:"message"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Message.Token) != 1 {
		answer(w, http.StatusBadRequest, `{"code":"80100003","msg":"Illegal payload","requestId":""}`)
		return
	}
	if strings.HasPrefix(body.Message.Token[0], "gone") {
		answer(w, http.StatusOK, `{"code":"80300007","msg":"All tokens are invalid","requestId":""}`)
		return
	}
	s.take(body.Message.Android.BiTag)
	answer(w, http.StatusOK, fmt.Sprintf(`{"code":"80000000","msg":"Success","requestId":%q}`, body.Message.Android.BiTag))
}

func (s *PushSimulator) xiaomi(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.FormValue("registration_id"), "gone") || r.FormValue("registration_id") == "" {
		answer(w, http.StatusOK, `{"result":"error","code":20301,"reason":"no valid targets"}`)
		return
	}
	s.take(r.FormValue("extra.jobkey"))
	answer(w, http.StatusOK, fmt.Sprintf(`{"result":"ok","code":0,"data":{"id":%q}}`, r.FormValue("extra.jobkey")))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

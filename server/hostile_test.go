package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// inside is what no answer may hold: stacks, SQL, addresses, Go's own words.
var inside = regexp.MustCompile(`(?i)goroutine|\.go:\d|pq:|select .* from|127\.0\.0\.1|panic|nil pointer|\bsql\b`)

// testHostile sends what a client ought not to: each gets a clear error, and
// nothing of the inside shows.
func (s *stage) testHostile(t *testing.T) {
	server := httptest.NewServer(s.service.Handler)
	defer server.Close()
	people := s.people()
	post := func(body io.Reader, header map[string]string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/graphql-response+json")
		for name, value := range header {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	query := func(text string) io.Reader {
		body, _ := json.Marshal(map[string]string{"query": text})
		return bytes.NewReader(body)
	}
	bearer := func(p *access.Principal) map[string]string {
		token, _, err := s.ground.signer.Access(p)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"Authorization": "Bearer " + token}
	}
	elsewhere := s.caseElsewhere(t, people["community worker"].AreaCode)
	untouched := s.caseState(t, elsewhere)
	for _, c := range []struct {
		name   string
		body   io.Reader
		header map[string]string
		status int // 0 for any
		code   string
	}{
		{name: "malformed JSON", body: strings.NewReader(`{"query": `), status: 400},
		{name: "no JSON object", body: strings.NewReader(`[]`), status: 400},
		{name: "unknown operation", body: strings.NewReader(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}}`),
			header: map[string]string{"X-Client-Id": "app"}, code: "PERSISTED_QUERY_NOT_FOUND"},
		{name: "unknown client", body: query(`{__typename}`), header: map[string]string{"X-Client-Id": "somebody"}, code: "CLIENT_UNKNOWN"},
		{name: "free text of a third party", body: query(`{__typename}`), header: map[string]string{"X-Client-Id": "partner"}, code: "OPERATION_NOT_ALLOWED"},
		{name: "depth bomb", body: query(`{ area(id: "510100000000") ` + strings.Repeat("{ parent ", 200) + "{id}" + strings.Repeat("}", 200) + "}"), code: "QUERY_TOO_DEEP"},
		{name: "ten megabytes", body: strings.NewReader(`{"query":"` + strings.Repeat("x", 10<<20) + `"}`), status: 413},
		{name: "wrong variable type", body: strings.NewReader(`{"query":"query($id: ID!) { area(id: $id) { id } }","variables":{"id":{"no":1}}}`), status: 400},
		{name: "variables are no object", body: strings.NewReader(`{"query":"{__typename}","variables":[1]}`), status: 400},
		{name: "a field that is not there", body: query(`{ area(id: "510100000000") { secret } }`), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "invalid token", body: query(`{__typename}`), header: map[string]string{"Authorization": "Bearer abc.def.ghi"}, status: 401, code: "UNAUTHENTICATED"},
		{name: "another community's case", body: query(`{ feedbackCase(id: "` + elsewhere + `") { id title } }`), header: bearer(people["community worker"]), code: "NOT_FOUND"},
		{name: "taking another community's case", body: query(`mutation { takeFeedback(input: {id: "` + elsewhere + `", expectedVersion: ` + fmt.Sprint(untouched.Version) + `}) { feedbackCase { id } } }`),
			header: bearer(people["community worker"]), code: "NOT_FOUND"},
		{name: "an ID that is none", body: query(`{ feedbackCase(id: "'; drop table x; --") { id } }`), header: bearer(people["community worker"])},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text := post(c.body, c.header)
			if c.status != 0 && status != c.status {
				t.Errorf("status %d, want %d: %.300s", status, c.status, text)
			}
			if inside.MatchString(text) {
				t.Errorf("the inside shows: %.300s", text)
			}
			var answer struct {
				Errors []struct {
					Message    string
					Extensions map[string]any
				}
			}
			if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Errors) == 0 {
				t.Fatalf("no clear error: %.300s", text)
			}
			if code := fmt.Sprint(answer.Errors[0].Extensions["code"]); code == "<nil>" || c.code != "" && code != c.code {
				t.Errorf("code %s, want %s: %s", code, c.code, answer.Errors[0].Message)
			}
		})
	}
	t.Run("bombs take no memory", func(t *testing.T) {
		for name, bomb := range map[string]func() (io.Reader, map[string]string){
			"fragments that double": func() (io.Reader, map[string]string) { return query(fragmentBomb(60)), nil },
			"a body that unfolds": func() (io.Reader, map[string]string) {
				return gzipped(t, 4<<30), map[string]string{"Content-Encoding": "gzip"}
			},
		} {
			body, header := bomb()
			var status int
			var text string
			grown := peak(func() { status, text = post(body, header) })
			if status < 400 || status >= 500 {
				t.Errorf("%s: status %d: %.200s", name, status, text)
			}
			if grown > 200<<20 {
				t.Errorf("%s: memory grew by %d MB", name, grown>>20)
			}
		}
	})
	if after := s.caseState(t, elsewhere); after != untouched {
		t.Errorf("the case changed: %+v, was %+v", after, untouched)
	}
	t.Run("an upload that is no picture", func(t *testing.T) {
		before := s.rows(t, "platform.file")
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/files?name=photo.png",
			strings.NewReader("<script>alert(1)</script>"))
		request.Header.Set("Content-Type", "image/png")
		request.Header.Set("Authorization", bearer(people["citizen"])["Authorization"])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode < 400 || response.StatusCode >= 500 || inside.Match(text) || !bytes.Contains(text, []byte(`"code"`)) {
			t.Errorf("status %d: %s", response.StatusCode, text)
		}
		if after := s.rows(t, "platform.file"); after != before {
			t.Errorf("%d files, %d before", after, before)
		}
	})
}

// fragmentBomb spreads each fragment twice in the one before: 2^n fields.
func fragmentBomb(n int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 ...F0 }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Query { __typename }", n)
	return b.String()
}

// gzipped is spaces in so many bytes, packed.
func gzipped(t *testing.T, size int64) io.Reader {
	t.Helper()
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range size >> 20 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &packed
}

// peak runs f and gives by how many bytes the heap grew at most meanwhile.
func peak(f func()) uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	base := stats.HeapSys - stats.HeapReleased
	done, top := make(chan struct{}), make(chan uint64)
	go func() {
		most := base
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				top <- most - base
				return
			case <-ticker.C:
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapSys-stats.HeapReleased)
			}
		}
	}()
	f()
	close(done)
	return <-top
}

type caseState struct {
	State   string `db:"state"`
	Version int    `db:"version"`
}

// caseElsewhere is the ID of an open case of another community.
func (s *stage) caseElsewhere(t *testing.T, areaCode string) string {
	t.Helper()
	var id string
	if err := s.owner.Get(&id, `SELECT id::text FROM community.feedback_case WHERE area_code <> $1 ORDER BY id LIMIT 1`, areaCode); err != nil {
		t.Fatal(err)
	}
	return id
}

func (s *stage) caseState(t *testing.T, id string) caseState {
	t.Helper()
	var state caseState
	if err := s.owner.Get(&state, `SELECT state, version FROM community.feedback_case WHERE id = $1`, id); err != nil {
		t.Fatal(err)
	}
	return state
}

func (s *stage) rows(t *testing.T, table string) int {
	t.Helper()
	var n int
	if err := s.owner.Get(&n, `SELECT count(*) FROM `+table); err != nil {
		t.Fatal(err)
	}
	return n
}

package transport

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func packed(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write([]byte(text))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBodies(t *testing.T) {
	server := newServer(t, func(o *Options) { o.MaxBody = 10_000 })
	whole := packed(t, `{"query":"{ echo }"}`)
	padded := func(size int) string {
		const head, tail = `{"query":"{ echo }","x":"`, `"}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	for _, test := range []struct {
		name, encoding, body string
		status               int
		code                 string
	}{
		{"plain", "", `{"query":"{ echo }"}`, 200, ""},
		{"identity", "identity", `{"query":"{ echo }"}`, 200, ""},
		{"gzip", "gzip", string(whole), 200, ""},
		{"exactly the limit", "", padded(10_000), 200, ""},
		{"one more", "", padded(10_001), 413, "BODY_TOO_LARGE"},
		{"exactly the limit, packed", "gzip", string(packed(t, padded(10_000))), 200, ""},
		{"one more, packed", "gzip", string(packed(t, padded(10_001))), 413, "BODY_TOO_LARGE"},
		{"cut gzip", "gzip", string(whole[:len(whole)-9]), 400, "BAD_REQUEST"},
		{"wrong checksum", "gzip", string(whole[:len(whole)-8]) + "12345678", 400, "BAD_REQUEST"},
		{"no gzip", "gzip", `{"query":"{ echo }"}`, 400, "BAD_REQUEST"},
		{"brotli", "br", `x`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"packed twice", "gzip, gzip", `x`, 415, "UNSUPPORTED_MEDIA_TYPE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{"Content-Type": "application/json", "Accept": "application/json"}
			if test.encoding != "" {
				header["Content-Encoding"] = test.encoding
			}
			response := sent{header: header, body: test.body}.do(t, server)
			body := read(t, response)
			if response.StatusCode != test.status || failureOf(t, body).Extensions.Code != test.code {
				t.Errorf("%d %s, want %d %s", response.StatusCode, body, test.status, test.code)
			}
		})
	}
}

// A client that begins a body and does not go on is told so.
func TestBodyTooSlow(t *testing.T) {
	request := newRequest("192.0.2.1:1", "")
	request.Header.Set("Content-Type", "application/json")
	request.Body, request.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"query"`), stalled{})), 100
	recorder := httptest.NewRecorder()
	newServer(t, nil).ServeHTTP(recorder, request)
	response := recorder.Result()
	if code := failureOf(t, read(t, response)).Extensions.Code; response.StatusCode != 408 || code != "REQUEST_TIMEOUT" || response.Header.Get("Connection") != "close" {
		t.Errorf("%d %s", response.StatusCode, code)
	}
}

// stalled fails as a connection does whose read deadline passed.
type stalled struct{}

func (stalled) Read([]byte) (int, error) {
	return 0, fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)
}

// zeros packs n zero bytes as fast as they are read, without holding them.
func zeros(n int64) io.Reader {
	reader, writer := io.Pipe()
	go func() {
		packer := gzip.NewWriter(writer)
		_, err := io.CopyN(packer, endless{}, n)
		if err == nil {
			err = packer.Close()
		}
		writer.CloseWithError(err)
	}()
	return reader
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A body that unfolds to 4 GB, and one that says nothing of its length and is
// sent plain: both are refused, and cost no memory to speak of.
func TestBombs(t *testing.T) {
	server := listen(t, newServer(t, nil))
	for name, bomb := range map[string]struct {
		body     io.Reader
		encoding string
	}{
		"gzip bomb":        {zeros(4 << 30), "gzip"},
		"10 MB, plain":     {bytes.NewReader(make([]byte, 10<<20)), ""},
		"10 MB in chunks":  {io.LimitReader(endless{}, 10<<20), ""},
		"4 GB in chunks":   {io.LimitReader(endless{}, 4<<30), ""},
		"10 MB of garbage": {strings.NewReader(strings.Repeat("not gzip", 10<<17)), "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			request, err := http.NewRequest("POST", server.URL+"/graphql", bomb.body)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Content-Encoding", bomb.encoding)
			response, err := (&http.Client{Timeout: 20 * time.Second}).Do(request)
			runtime.ReadMemStats(&after)
			if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
				t.Errorf("memory grew by %d MB", grown>>20)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<20 {
				t.Errorf("%d MB were allocated", allocated>>20)
			}
			if err != nil {
				return // the server cut the connection while we were sending: refused as well
			}
			body := read(t, response)
			if response.StatusCode != 413 && response.StatusCode != 400 {
				t.Errorf("%d: %s", response.StatusCode, body)
			}
			if code := failureOf(t, body).Extensions.Code; code != "BODY_TOO_LARGE" && code != "BAD_REQUEST" {
				t.Errorf("code %s", code)
			}
		})
	}
	// It serves on.
	response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{ echo }"}`))
	if err != nil || response.StatusCode != 200 {
		t.Errorf("afterwards: %v %v", response, err)
	}
}

func TestAnswersArePackedOnlyWhenAsked(t *testing.T) {
	for _, test := range []struct {
		compress bool
		query    string
		accept   string
		want     bool
	}{
		{true, "{ big }", "gzip", true}, {true, "{ big }", "br, gzip;q=0.5", true}, {true, "{ big }", "*", true},
		{true, "{ big }", "", false}, {true, "{ big }", "br", false}, {true, "{ big }", "gzip;q=0, *", false},
		{true, "{ echo }", "gzip", false}, {false, "{ big }", "gzip", false},
	} {
		server := newServer(t, func(o *Options) { o.Compress = test.compress })
		response := sent{
			header: map[string]string{"Content-Type": "application/json", "Accept-Encoding": test.accept},
			body:   fmt.Sprintf(`{"query":%q}`, test.query),
		}.do(t, server)
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != test.want {
			t.Errorf("%+v: packed %v", test, got)
			continue
		}
		if !test.want {
			continue
		}
		if response.ContentLength > 10_000 || response.ContentLength <= 0 {
			t.Errorf("Content-Length %d", response.ContentLength)
		}
		reader, err := gzip.NewReader(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil || len(body) < 256<<10 {
			t.Errorf("%d bytes unpacked: %v", len(body), err)
		}
	}
}

// The transport's own share of a request must stay small: see the budget of
// 400 for a whole request through the gateway.
func TestAllocationsPerRequest(t *testing.T) {
	server := newServer(t, func(o *Options) { o.Engine = constant{} })
	body := []byte(`{"query":"query Home { me { id name } }\n","variables":{"first":10},"operationName":"Home"}`)
	request, err := http.NewRequest("POST", "/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	request.RemoteAddr = "192.0.2.1:1234"
	request.ContentLength = int64(len(body))
	reader := bytes.NewReader(nil)
	request.Body = io.NopCloser(reader)
	writer := &discard{header: http.Header{}}
	allocations := testing.AllocsPerRun(500, func() {
		reader.Reset(body)
		clear(writer.header)
		server.ServeHTTP(writer, request)
	})
	if writer.status != 200 {
		t.Fatalf("status %d", writer.status)
	}
	if allocations > 9 { // 8, with traces, metrics and explanations off
		t.Errorf("%.0f allocations a request", allocations)
	}
	t.Logf("%.0f allocations a request", allocations)
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// As net/http's own writer has them.
func (d *discard) SetReadDeadline(time.Time) error  { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }

package file

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recording is a WAV of the size with noise in it.
func recording(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content)
	copy(content, "RIFF\x00\x00\x00\x00WAVE")
	return content
}

type said struct {
	URL, ID, Receipt, Body string
	Accepted               int64
	Status                 int
}

// client runs tus-js-client and gives what it said, line by line.
func (w *world) client(bearer, file string, chunk int, options ...string) (lines []said) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	arguments := append([]string{"testdata/upload.mjs", w.server.URL + "/files/uploads", bearer, file, fmt.Sprint(chunk)}, options...)
	command := exec.CommandContext(ctx, "node", arguments...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	for line := range bytes.Lines(output) {
		var s said
		w.must(json.Unmarshal(line, &s))
		lines = append(lines, s)
	}
	if len(lines) == 0 {
		w.t.Fatalf("%v: %s", err, &complaints)
	}
	return lines
}

// patch sends a chunk; extra are more headers.
func (w *world) patch(bearer, url string, at int, content io.Reader, extra ...string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPatch, url, content)
	w.must(err)
	r.Header.Set("Upload-Offset", fmt.Sprint(at))
	r.Header.Set("Content-Type", "application/offset+octet-stream")
	return w.do(bearer, r, extra...)
}

func (w *world) do(bearer string, r *http.Request, extra ...string) *http.Response {
	w.t.Helper()
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Tus-Resumable", "1.0.0")
	for i := 0; i < len(extra); i += 2 {
		r.Header.Set(extra[i], extra[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	w.must(err)
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

func (w *world) request(bearer, method, url string, extra ...string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, nil)
	w.must(err)
	return w.do(bearer, r, extra...)
}

// create begins an upload of the length.
func (w *world) create(bearer string, length int) string {
	w.t.Helper()
	name := base64.StdEncoding.EncodeToString([]byte("a.wav"))
	response := w.request(bearer, http.MethodPost, w.server.URL+"/files/uploads", "Upload-Length", fmt.Sprint(length), "Upload-Metadata", "filename "+name)
	if response.StatusCode != http.StatusCreated || response.Header.Get("Upload-Expires") == "" {
		w.t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	return w.server.URL + response.Header.Get("Location")
}

func TestAnInterruptedUploadGoesOn(t *testing.T) {
	w := newWorld(t, nil)
	p, bearer := w.citizen()
	content := recording(5<<20 + 123)
	file := filepath.Join(t.TempDir(), "a.wav")
	w.must(os.WriteFile(file, content, 0o600))

	// The client dies between chunks.
	lines := w.client(bearer, file, 1<<20, "--die", fmt.Sprint(2<<20))
	url := lines[0].URL
	if last := lines[len(lines)-1]; url == "" || last.Accepted != 2<<20 || last.ID != "" {
		t.Fatalf("%+v", lines)
	}
	// Then a line breaks in the middle of a chunk: what came is kept.
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	w.must(err)
	_, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	_, err = fmt.Fprintf(conn, "PATCH /%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: %d\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: %d\r\n\r\n", path, bearer, 2<<20, 1<<20)
	w.must(err)
	_, err = conn.Write(content[2<<20 : 2<<20+500_000])
	w.must(err)
	w.must(conn.(*net.TCPConn).CloseWrite())
	_, _ = io.Copy(io.Discard, conn) // until the server has done with it
	_ = conn.Close()
	if got := w.request(bearer, http.MethodHead, url).Header.Get("Upload-Offset"); got != fmt.Sprint(2<<20+500_000) {
		t.Fatalf("after the break the upload stands at %s", got)
	}
	// Another process of the client finishes it.
	lines = w.client(bearer, file, 1<<20, "--resume", url)
	last := lines[len(lines)-1]
	receipt, err := w.Verifier.Receipt(last.Receipt, p.ID)
	if err != nil || receipt.FileID != last.ID || receipt.Media != "audio/wave" || receipt.Bytes != int64(len(content)) || receipt.Name != "录音.wav" {
		t.Fatalf("%+v %+v %v", lines, receipt, err)
	}
	if got := w.ask(p, "GET", "/files/"+last.ID); got.Code != 200 || !bytes.Equal(got.Body.Bytes(), content) {
		t.Errorf("the file comes back as %d with %d bytes", got.Code, got.Body.Len())
	}
	// Whoever lost the last answer asks for it.
	var outcome struct{ ID, Receipt string }
	w.must(json.Unmarshal(w.ask(p, "GET", "/"+path).Body.Bytes(), &outcome))
	if _, err := w.Verifier.Receipt(outcome.Receipt, p.ID); err != nil || outcome.ID != last.ID {
		t.Errorf("%+v %v", outcome, err)
	}
	// Of the chunks nothing stays.
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 1 || w.number(`SELECT count(*) FROM platform.upload_part`) != 0 || w.number(`SELECT count(*) FROM platform.file`) != 1 {
		t.Errorf("%d contents are kept", w.drawer.number())
	}
}

func TestAnUploadThatIsRefusedAtItsEnd(t *testing.T) {
	w := newWorld(t, nil)
	_, bearer := w.citizen()
	file := filepath.Join(t.TempDir(), "a.wav")
	w.must(os.WriteFile(file, []byte("<html><script>alert(1)</script>"), 0o600))
	lines := w.client(bearer, file, 1<<20)
	if last := lines[len(lines)-1]; last.Status != 400 || !strings.Contains(last.Body, "INVALID_INPUT") {
		t.Fatalf("%+v", lines)
	}
	if got := w.request(bearer, http.MethodHead, lines[0].URL); got.StatusCode != http.StatusGone {
		t.Errorf("it is still there: %d", got.StatusCode)
	}
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 || w.number(`SELECT count(*) FROM platform.file`) != 0 {
		t.Error("something of it stays")
	}
}

func TestTheProtocolsRefusals(t *testing.T) {
	w := newWorld(t, nil)
	_, bearer := w.citizen()
	_, other := w.citizen()
	content := recording(3000)
	url := w.create(bearer, len(content))
	status := func(name string, got *http.Response, want int) {
		t.Helper()
		if got.StatusCode != want {
			t.Errorf("%s: %d, want %d", name, got.StatusCode, want)
		}
	}
	body := func() io.Reader { return bytes.NewReader(content[:1000]) }
	status("another's upload", w.request(other, http.MethodHead, url), 404)
	status("a chunk for another's", w.patch(other, url, 0, body()), 404)
	status("an end of another's", w.request(other, http.MethodDelete, url), 404)
	status("a receipt of another's", w.request(other, http.MethodGet, url), 404)
	status("nobody", w.request("forged", http.MethodHead, url), 401)
	status("no such upload", w.request(bearer, http.MethodHead, w.server.URL+"/files/uploads/"+strings.Repeat("0", 36)), 404)
	status("a hole", w.patch(bearer, url, 5, body()), 409)
	status("another version", w.patch(bearer, url, 0, body(), "Tus-Resumable", "0.2.2"), 412)
	status("another type", w.patch(bearer, url, 0, body(), "Content-Type", "text/plain"), 415)
	status("9 MB at once", w.patch(bearer, url, 0, bytes.NewReader(make([]byte, 9<<20))), 413)
	status("more than announced", w.patch(bearer, url, 0, bytes.NewReader(make([]byte, 3001))), 413)
	status("a wrong checksum", w.patch(bearer, url, 0, body(), "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(make([]byte, 20))), 460)
	status("an unknown checksum", w.patch(bearer, url, 0, body(), "Upload-Checksum", "md5 AAAA"), 400)
	status("before its end", w.request(bearer, http.MethodGet, url), 409)
	sum := sha1.Sum(content[:1000])
	status("a chunk", w.patch(bearer, url, 0, body(), "Upload-Checksum", "sha1 "+base64.StdEncoding.EncodeToString(sum[:])), 204)
	status("the chunk again", w.patch(bearer, url, 0, body()), 409)
	status("too long", w.request(bearer, http.MethodPost, w.server.URL+"/files/uploads", "Upload-Length", fmt.Sprint(MaxUpload+1)), 413)
	status("a long picture", w.request(bearer, http.MethodPost, w.server.URL+"/files/uploads", "Upload-Length", fmt.Sprint(MaxBytes+1),
		"Upload-Metadata", "filetype "+base64.StdEncoding.EncodeToString([]byte("image/png"))), 413)
	status("no length", w.request(bearer, http.MethodPost, w.server.URL+"/files/uploads"), 400)
	if got := w.request(bearer, http.MethodOptions, url).Header; got.Get("Tus-Extension") == "" || got.Get("Tus-Version") != "1.0.0" {
		t.Errorf("%v", got)
	}
	status("its end", w.request(bearer, http.MethodDelete, url), 204)
	status("after its end", w.request(bearer, http.MethodHead, url), 404)
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 {
		t.Error("chunks of an ended upload stay")
	}
}

func TestASecondChunkAtTheSameTimeIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	_, bearer := w.citizen()
	content := recording(2000)
	url := w.create(bearer, len(content))
	slow, feed := io.Pipe()
	first := make(chan int, 1)
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPatch, url, slow)
		r.Header.Set("Upload-Offset", "0")
		r.Header.Set("Content-Type", "application/offset+octet-stream")
		r.Header.Set("Authorization", "Bearer "+bearer)
		r.Header.Set("Tus-Resumable", "1.0.0")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			first <- 0
			return
		}
		_ = response.Body.Close()
		first <- response.StatusCode
	}()
	_, err := feed.Write(content[:1000])
	w.must(err)
	// The first holds the lock from before it reads; its body is on the way now.
	for w.redis.Exists(t.Context(), "platform:file:upload:"+url[strings.LastIndex(url, "/")+1:]).Val() == 0 {
		if t.Context().Err() != nil {
			t.Fatal("no lock")
		}
	}
	if got := w.patch(bearer, url, 0, bytes.NewReader(content)); got.StatusCode != http.StatusLocked {
		t.Errorf("the second gets %d", got.StatusCode)
	}
	_ = feed.Close()
	if got := <-first; got != 204 {
		t.Errorf("the first gets %d", got)
	}
	if got := w.patch(bearer, url, 1000, bytes.NewReader(content[1000:])); got.StatusCode != 204 || got.Header.Get("File-Id") == "" {
		t.Errorf("the rest gets %d", got.StatusCode)
	}
}

func TestUploadsExpire(t *testing.T) {
	w := newWorld(t, nil)
	p, bearer := w.citizen()
	url := w.create(bearer, 2000)
	if got := w.patch(bearer, url, 0, bytes.NewReader(make([]byte, 1000))); got.StatusCode != 204 {
		t.Fatal(got.StatusCode)
	}
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 1 {
		t.Fatal("the chunk of a running upload is gone")
	}
	w.move(uploadTime)
	path := url[strings.Index(url, "/files"):]
	if got := w.ask(p, "HEAD", path, "Tus-Resumable", "1.0.0"); got.Code != http.StatusGone {
		t.Errorf("an expired upload answers %d", got.Code)
	}
	w.must(w.Sweep(t.Context()))
	w.must(w.Sweep(t.Context()))
	if w.drawer.number() != 0 || w.number(`SELECT count(*) FROM platform.upload`) != 0 || w.number(`SELECT count(*) FROM platform.content_removal`) != 0 {
		t.Errorf("%d contents stay", w.drawer.number())
	}
}

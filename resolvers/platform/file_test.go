package platform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencloud/citizencloud/foundation/access"
)

// picture is a small PNG whose content depends on n.
func picture(n uint8) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 8, 6))
	img.Set(1, 1, color.RGBA{R: n, A: 255})
	var out bytes.Buffer
	_ = png.Encode(&out, img)
	return out.Bytes()
}

type uploaded struct {
	ID, Receipt, MediaType, URL, Name string
	Bytes, Width, Height              int
	Errors                            []struct {
		Message    string
		Extensions struct{ Code, Field string }
	}
}

func (w *world) send(p *access.Principal, r *http.Request) (int, uploaded) {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	w.FileHandler().ServeHTTP(recorder, r.WithContext(access.With(w.t.Context(), p)))
	var u uploaded
	if err := json.Unmarshal(recorder.Body.Bytes(), &u); err != nil {
		w.t.Fatalf("%d %s", recorder.Code, recorder.Body)
	}
	return recorder.Code, u
}

func (w *world) upload(p *access.Principal, content []byte) uploaded {
	w.t.Helper()
	r := httptest.NewRequest("POST", "/files", bytes.NewReader(content))
	r.Header.Set("Content-Type", "image/png")
	r.Header.Set("X-File-Name", "photo.png")
	status, u := w.send(p, r)
	if status != http.StatusCreated {
		w.t.Fatalf("%d %+v", status, u)
	}
	return u
}

func (w *world) download(p *access.Principal, url string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.FileHandler().ServeHTTP(recorder, httptest.NewRequest("GET", url, nil).WithContext(access.With(w.t.Context(), p)))
	return recorder
}

func TestUploadReceiptAndLink(t *testing.T) { eachWall(t, uploadReceiptAndLink) }

func uploadReceiptAndLink(t *testing.T, w *world) {
	_, p := w.signIn("13800000001")
	_, other := w.signIn("13800000002")
	u := w.upload(p, picture(1))
	if u.MediaType != "image/png" || u.Width != 8 || u.Height != 6 || u.Bytes != len(picture(1)) {
		t.Errorf("%+v", u)
	}
	receipt, err := w.verifier.Receipt(u.Receipt, p.ID)
	if err != nil || receipt.FileID != u.ID || receipt.Media != "image/png" {
		t.Errorf("%+v %v", receipt, err)
	}
	if _, err := w.verifier.Receipt(u.Receipt, other.ID); err == nil {
		t.Error("the receipt counts for another citizen")
	}
	if got := w.download(p, "/files/"+u.ID); got.Code != 200 || !bytes.Equal(got.Body.Bytes(), picture(1)) {
		t.Errorf("the owner gets %d", got.Code)
	}
	if got := w.download(nil, u.URL); got.Code != 200 || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("by the link: %d", got.Code)
	}
	again := w.upload(other, picture(1))
	if again.ID == u.ID || w.drawer.puts != 1 || w.number(`SELECT count(*) FROM platform.blob`) != 1 {
		t.Errorf("equal content was stored %d times", w.drawer.puts)
	}
	for name, c := range map[string]struct {
		who  *access.Principal
		url  string
		want int
	}{
		"nobody": {nil, "/files/" + u.ID, 401}, "another citizen": {other, "/files/" + u.ID, 404},
		"the city's worker":   {w.worker(city), "/files/" + u.ID, 404},
		"another file's link": {nil, strings.Replace(u.URL, u.ID, again.ID, 1), 401},
		"a longer link":       {nil, strings.Replace(u.URL, "until=", "until=9", 1), 401},
		"no signature":        {nil, strings.Split(u.URL, "&")[0], 401},
		"no such file":        {p, "/files/00000000-0000-7000-8000-000000000000", 404},
		"no ID":               {p, "/files/..%2f..%2fetc%2fpasswd", 404},
	} {
		if got := w.download(c.who, c.url); got.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, got.Code, c.want, got.Body)
		}
	}
	w.clock.move(time.Hour)
	if got := w.download(nil, u.URL); got.Code != 401 {
		t.Errorf("the link outlives its time: %d", got.Code)
	}
	a := w.ask(other, `query($r: [_Any!]!) { _entities(representations: $r) { ... on FileAsset { mediaType url } } }`, fmt.Sprintf(`{"r": [{"__typename": "FileAsset", "id": %q}]}`, u.ID))
	var data struct {
		Entities []struct{ URL string } `json:"_entities"`
	}
	w.must(json.Unmarshal(a.Data, &data))
	if got := w.download(nil, data.Entities[0].URL); got.Code != 200 {
		t.Errorf("by the entity's link: %d", got.Code)
	}
}

func TestUploadsThatAreNotWhatTheyClaim(t *testing.T) {
	w := newWorld(t)
	_, p := w.signIn("13800000001")
	var photo bytes.Buffer
	w.must(jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 64)), nil))
	good := picture(1)
	for name, c := range map[string]struct {
		content           []byte
		media, file, says string
	}{
		"nothing":              {nil, "image/png", "a.png", "文件是空的"},
		"a page":               {[]byte("<html><script>alert(1)</script>"), "image/png", "a.png", "只支持"},
		"a program":            {[]byte("MZ\x90\x00" + strings.Repeat("x", 600)), "image/png", "a.png", "只支持"},
		"SVG":                  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "image/svg+xml", "a.svg", "只支持"},
		"JPEG as PNG":          {photo.Bytes(), "image/png", "a.jpg", "声明的类型不一致"},
		"JPEG named PNG":       {photo.Bytes(), "image/jpeg", "a.png", "扩展名不一致"},
		"PNG named program":    {good, "image/png", "a.php", "扩展名不一致"},
		"PNG as a page":        {good, "text/html", "a.png", "声明的类型不一致"},
		"a head without body":  {good[:40], "image/png", "a.png", "已损坏"},
		"half a photo":         {photo.Bytes()[:photo.Len()/2], "image/jpeg", "a.jpg", "已损坏"},
		"only the first bytes": {[]byte("\x89PNG\r\n\x1a\n<script>"), "image/png", "a.png", "已损坏"},
		"a bomb":               {pngClaiming(60000, 60000), "image/png", "a.png", "尺寸过大"},
		"too large":            {append(bytes.Clone(good), make([]byte, 10<<20)...), "image/png", "a.png", "不能超过 10 MB"},
	} {
		r := httptest.NewRequest("POST", "/files", bytes.NewReader(c.content))
		r.Header.Set("Content-Type", c.media)
		r.Header.Set("X-File-Name", c.file)
		status, u := w.send(p, r)
		if status != 400 || len(u.Errors) != 1 || u.Errors[0].Extensions.Code != "INVALID_INPUT" || !strings.Contains(u.Errors[0].Message, c.says) {
			t.Errorf("%s: %d %+v", name, status, u)
		}
	}
	if w.drawer.puts != 0 || w.number(`SELECT count(*) FROM platform.file`) != 0 {
		t.Error("something refused was stored")
	}
	r := httptest.NewRequest("POST", "/files", bytes.NewReader(good))
	if status, u := w.send(nil, r); status != 401 || u.Errors[0].Extensions.Code != "UNAUTHENTICATED" {
		t.Errorf("nobody uploads: %d %+v", status, u)
	}
	r = httptest.NewRequest("POST", "/files", bytes.NewReader(good))
	r.Header.Set("Authorization", "Bearer forged")
	if status, _ := w.send(nil, r); status != 401 {
		t.Errorf("a forged token uploads: %d", status)
	}
}

// pngClaiming is a PNG that claims a size and has no rows.
func pngClaiming(width, height int) []byte {
	body := bytes.Clone(picture(1))
	header := body[12:29] // "IHDR" and its thirteen bytes
	for i, n := range []int{width, height} {
		header[4+4*i], header[5+4*i], header[6+4*i], header[7+4*i] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	}
	sum := crc32.ChecksumIEEE(header)
	body[29], body[30], body[31], body[32] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	return body
}

func TestMultipartUploadAndNames(t *testing.T) {
	w := newWorld(t)
	signedIn, _ := w.signIn("13800000001")
	for given, want := range map[string]string{
		"照片 1.png": "照片 1.png", "../../etc/x.png": "x.png", `C:\fakepath\a.png`: "a.png", "a\u202egnp.png": "agnp.png",
	} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		w.must(form.WriteField("note", "not the file"))
		part, err := form.CreateFormFile("file", given)
		w.must(err)
		_, _ = part.Write(picture(3))
		w.must(form.Close())
		r := httptest.NewRequest("POST", "/files", &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Authorization", "Bearer "+signedIn.AccessToken)
		status, u := w.send(nil, r)
		if status != 201 || u.Name != want {
			t.Errorf("%q: %d %+v, want %q", given, status, u, want)
		}
	}
}

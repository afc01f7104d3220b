package file

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
)

// entry is one file of an archive to be.
type entry struct{ name, text string }

func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := archive.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func document(t *testing.T, more ...entry) []byte {
	t.Helper()
	return zipped(t, append([]entry{{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", "<w:document/>"}}, more...)...)
}

func photo(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 64, 32)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const pdf = "%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

func TestWhatMayComeIn(t *testing.T) {
	for _, c := range []struct {
		name, claimed string
		content       []byte
		want          string
		kind          Kind
	}{
		{"a.jpg", "image/jpg", photo(t), "image/jpeg", Picture},
		{"a.pdf", "application/pdf", []byte(pdf), "application/pdf", Document},
		{"a.docx", docx, document(t), docx, Document},
		{"a.docx", "", document(t, entry{"word/media/a.jpg", string(photo(t))}), docx, Document},
		{"a.xlsx", xlsx, zipped(t, entry{"[Content_Types].xml", "x"}, entry{"xl/workbook.xml", "x"}), xlsx, Document},
		{"a.zip", "application/x-zip-compressed", zipped(t, entry{"材料/a.txt", "你好"}, entry{"b.txt", strings.Repeat("b", 1<<20)}), "application/zip", Archive},
		{"a.txt", "text/plain", []byte("成都\r\n\t市"), "text/plain", Document},
		{"a.csv", "text/csv", []byte("姓名,电话\n"), "text/csv", Document},
		{"a.csv", "text/plain", []byte("姓名,电话\n"), "text/csv", Document},
	} {
		found, err := examine(bytes.NewReader(c.content), c.name, c.claimed)
		if err != nil || found.mediaType != c.want || found.kind() != c.kind || (found.width != nil) != (c.kind == Picture) {
			t.Errorf("%s as %s: %+v %v", c.name, c.claimed, found, err)
		}
	}
}

func TestWhatMayNotComeIn(t *testing.T) {
	many := make([]entry, maxEntries+1)
	for i := range many {
		many[i] = entry{fmt.Sprintf("%d", i), "x"}
	}
	bombed := zipped(t, entry{"zeros", strings.Repeat("\x00", 64<<20)})
	commented := append(document(t), "a comment"...)
	commented[len(commented)-len("a comment")-2] = byte(len("a comment"))
	for name, c := range map[string]struct {
		file    string
		content []byte
		says    string
	}{
		"an archive behind a picture":  {"a.jpg", append(photo(t), zipped(t, entry{"x", "y"})...), "藏有压缩包"},
		"an archive behind a PDF":      {"a.pdf", append([]byte(pdf), zipped(t, entry{"x", "y"})...), "藏有压缩包"},
		"a script in a picture":        {"a.jpg", append(photo(t), "<SCRIPT>alert(1)</script>"...), "其他类型"},
		"a PDF in a picture":           {"a.jpg", append(photo(t), pdf...), "其他类型"},
		"half a PDF":                   {"a.pdf", []byte(pdf[:20]), "PDF 文件已损坏"},
		"a zip with 64 MB of zeros":    {"a.zip", bombed, "解开后过大"},
		"a document with a bomb":       {"a.docx", document(t, entry{"word/x", strings.Repeat("\x00", 64<<20)}), "解开后过大"},
		"too many entries":             {"a.zip", zipped(t, many...), "文件数"},
		"a way out":                    {"a.zip", zipped(t, entry{"../../etc/cron.d/x", "y"}), "不安全的路径"},
		"a Windows way out":            {"a.zip", zipped(t, entry{`..\..\x`, "y"}), "不安全的路径"},
		"an absolute path":             {"a.zip", zipped(t, entry{"/etc/passwd", "y"}), "不安全的路径"},
		"an archive in an archive":     {"a.zip", zipped(t, entry{"b.ZIP", "y"}), "不能再有"},
		"macros":                       {"a.docx", document(t, entry{"word/vbaProject.bin", "y"}), "宏"},
		"a document named zip":         {"a.zip", document(t), "扩展名不一致"},
		"a zip named document":         {"a.docx", zipped(t, entry{"x", "y"}), "扩展名不一致"},
		"something before the archive": {"a.zip", append([]byte("#!/bin/sh\nrm -rf /\n"), zipped(t, entry{"x", "y"})...), ""},
		"something behind the archive": {"a.zip", append(zipped(t, entry{"x", "y"}), "more"...), "已损坏"},
		"a comment behind the archive": {"a.docx", commented, "已损坏"},
		"half an archive":              {"a.zip", document(t)[:60], "已损坏"},
		"a broken entry":               {"a.zip", broken(zipped(t, entry{"x", strings.Repeat("abc", 100)})), "已损坏"},
		"an encrypted entry":           {"a.zip", encrypted(zipped(t, entry{"x", "y"})), "加密"},
		"entries that share bytes":     {"a.zip", overlapping(t), "结构异常"},
		"a program as text":            {"a.txt", []byte(strings.Repeat("x", 600) + "\x00\x01"), "无法识别"},
		"a page as text":               {"a.txt", []byte("<!DOCTYPE html><script>"), "只支持"},
		"an unnamed text":              {"a", []byte("hello"), "只支持"},
		"SVG":                          {"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "只支持"},
		"a large picture":              {"a.jpg", append(photo(t), make([]byte, MaxBytes)...), "不能超过 10 MB"},
	} {
		if _, err := examine(bytes.NewReader(c.content), c.file, ""); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "INVALID_INPUT") {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// broken changes a byte of the first entry's content.
func broken(archive []byte) []byte {
	archive[32] ^= 0xff
	return archive
}

// encrypted sets the flag of an encrypted entry in both of its headers.
func encrypted(archive []byte) []byte {
	archive[6] |= 1
	archive[bytes.Index(archive, []byte("PK\x01\x02"))+8] |= 1
	return archive
}

// overlapping is an archive whose two entries are the same bytes: its directory
// names the one entry twice.
func overlapping(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(bytes.Repeat([]byte("a"), 1000))
	_ = w.Close()
	one := zipped(t, entry{"x", strings.Repeat("a", 1000)})
	at, end := bytes.Index(one, []byte("PK\x01\x02")), bytes.Index(one, []byte("PK\x05\x06"))
	directory, last := one[at:end], bytes.Clone(one[end:])
	last[8], last[10] = 2, 2
	length := 2 * len(directory)
	last[12], last[13] = byte(length), byte(length>>8)
	return bytes.Join([][]byte{one[:at], directory, directory, last}, nil)
}

func TestDispositionsAndNames(t *testing.T) {
	for _, c := range []struct{ media, name, want string }{
		{"image/png", "a.png", `inline; filename=a.png`},
		{"application/pdf", `a"; filename="b.exe`, `attachment; filename="a\"; filename=\"b.exe"`},
		{"application/pdf", "a.pdf\r\nSet-Cookie: x=1", `attachment; filename="a.pdfSet-Cookie: x=1"`},
		{"application/zip", "../../etc/材料.zip", `attachment; filename*=utf-8''%E6%9D%90%E6%96%99.zip`},
		{"text/html", "a.html", `attachment; filename=a.html`},
		{"image/svg+xml", "a.svg", `attachment; filename=a.svg`},
		{"application/zip", "..", `attachment; filename*=utf-8''%E6%9C%AA%E5%91%BD%E5%90%8D`},
	} {
		if got := disposition(c.media, c.name); got != c.want {
			t.Errorf("%q: %s, want %s", c.name, got, c.want)
		}
	}
	if got := tidyName("a\u202egnp\u2028.png\x00"); got != "agnp.png" {
		t.Errorf("got %q", got)
	}
}

func TestTransitions(t *testing.T) {
	allowed := map[string]bool{
		"SCANNING AVAILABLE": true, "SCANNING QUARANTINED": true, "SCANNING DELETED": true,
		"AVAILABLE SCANNING": true, "AVAILABLE QUARANTINED": true, "AVAILABLE DELETED": true,
		"QUARANTINED SCANNING": true, "QUARANTINED AVAILABLE": true, "QUARANTINED DELETED": true,
		"DELETED SCANNING": true, "DELETED AVAILABLE": true, "DELETED QUARANTINED": true, "DELETED ARCHIVED": true, "DELETED PURGED": true,
		"ARCHIVED PURGED": true,
	}
	all := []State{Scanning, Available, Quarantined, Deleted, Archived, Purged}
	for _, before := range all {
		for _, after := range all {
			if got := before.may(after); got != allowed[string(before)+" "+string(after)] {
				t.Errorf("%s to %s: %v", before, after, got)
			}
		}
	}
}

func TestShrinking(t *testing.T) {
	wide := image.NewNRGBA(image.Rect(0, 0, 1000, 500))
	for y := range 500 {
		for x := range 500 { // the right half is transparent
			wide.Set(x, y, color.NRGBA{R: 255, A: 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, wide); err != nil {
		t.Fatal(err)
	}
	small, err := shrink(bytes.NewReader(out.Bytes()), 160)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(small))
	if err != nil || got.Bounds().Dx() != 160 || got.Bounds().Dy() != 80 {
		t.Fatalf("%v %v", got.Bounds(), err)
	}
	if r, g, _, _ := got.At(20, 40).RGBA(); r>>8 < 240 || g>>8 > 20 {
		t.Errorf("the left is %v", got.At(20, 40))
	}
	if r, g, b, _ := got.At(140, 40).RGBA(); r>>8 < 250 || g>>8 < 250 || b>>8 < 250 {
		t.Errorf("what was transparent is %v", got.At(140, 40))
	}
}
